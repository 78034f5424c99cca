// Bluesky's own servers on the loopback address, and beside them a stream as Jetstream gives it, made of the PDS's firehose.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import net from 'node:net'

const installed = createRequire(`${process.env.INSTALLED}/package.json`)
const load = (name) => import(pathToFileURL(installed.resolve(name)).href)
const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (...args) {
  if (typeof args[0] === 'number' && typeof args[1] !== 'string') args.splice(1, 0, '127.0.0.1')
  else if (typeof args[0] === 'object' && args[0]?.port !== undefined) args[0].host ??= '127.0.0.1'
  return listen.apply(this, args)
}

const [plc, pds, appview, ozone, stream] = process.argv.slice(2).map(Number)
const { TestNetwork } = await load('@atproto/dev-env')
const network = await TestNetwork.create({
  dbPostgresUrl: process.env.DB_POSTGRES_URL,
  dbPostgresSchema: 'bluesky',
  plc: { port: plc },
  pds: { port: pds, hostname: 'localhost' },
  bsky: { port: appview },
  ozone: { port: ozone },
})

const { Firehose, MemoryRunner } = await load('@atproto/sync')
const { WebSocketServer } = installed('ws')
const events = []
const clients = new Set()
const give = (client) => {
  for (; client.next < events.length; client.next++) {
    if (events[client.next].seq >= client.cursor) {
      client.socket.send(JSON.stringify({ $type: 'message', payload: events[client.next] }))
    }
  }
}
new Firehose({
  service: `ws://127.0.0.1:${pds}`,
  idResolver: network.pds.ctx.idResolver,
  unauthenticatedCommits: true,
  excludeIdentity: true,
  excludeAccount: true,
  filterCollections: ['app.bsky.feed.post'],
  runner: new MemoryRunner({ startCursor: 0 }),
  onError: (error) => console.error(error),
  handleEvent: ({ seq, time, did, event, collection, rkey, rev, record }) => {
    if (!collection) return
    const $type = 'network.bsky.jetstream.subscribeEvents#commit'
    events.push({ $type, seq, time, did, operation: event, collection, rkey, rev, record })
    clients.forEach(give)
  },
}).start()
new WebSocketServer({ host: '127.0.0.1', port: stream, handleProtocols: () => 'xrpc.v1.json' }).on(
  'connection',
  (socket, request) => {
    const asked = Number(new URL(request.url, 'ws://127.0.0.1').searchParams.get('cursor') ?? 0)
    const client = { socket, next: 0, cursor: asked < 1e15 ? asked : 0 }
    clients.add(client)
    socket.on('close', () => clients.delete(client))
    give(client)
  },
)
process.on('SIGTERM', () => process.exit(0))
console.log('READY')
