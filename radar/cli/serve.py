"""radar serve, radar schedule: API, pages and scheduler."""

import errno
import gc
import signal
import socket
import sys
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from radar.cli.app import console, log_to_terminal, open_engine
from radar.errors import CallerError, RadarError
from radar.memory import share_arenas

if TYPE_CHECKING:
    import sqlalchemy as sa

    from radar.config import Settings

_TURN = 0.001
"""Seconds that a thread which makes an answer works before those get their turn who only send one."""
_OBJECTS = 50_000
"""Objects after which Python looks for cycles."""

Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Port to serve at; else RADAR_PORT.")]


def take_address(settings: "Settings") -> list[socket.socket]:
    """Bind every address of the host, without listening yet; port 0 takes a free one.

    Raises CallerError for a host that is none of this machine's, RadarError for a port that is not to be had.
    """
    try:
        found = socket.getaddrinfo(
            settings.host or None, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (socket.gaierror, UnicodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is no name"
        raise CallerError(f"Cannot serve at {settings.host}: {said}.", "Correct --host or RADAR_HOST.") from error
    taken: list[socket.socket] = []
    for family, _, _, _, where in dict.fromkeys(found):
        port = taken[0].getsockname()[1] if taken else settings.port
        try:
            taken.append(_bound(family, (where[0], port, *where[2:])))
        except OSError as error:
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):  # localhost, but no IPv6 here, perhaps
                raise _not_to_be_had(settings.host, port, error) from error
    if not taken:
        said = f"Cannot serve at {settings.host}: that is no address of this machine."
        raise CallerError(said, "Correct --host or RADAR_HOST.")
    return taken


def _bound(family: int, where: tuple[Any, ...]) -> socket.socket:
    # asyncio sends at once only where the protocol is named; else the end of an answer waits 40 ms for its beginning
    one = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(where)
    except OSError:
        one.close()
        raise
    return one


def _not_to_be_had(host: str, port: int, error: OSError) -> RadarError:
    if error.errno == errno.EADDRINUSE:
        return RadarError(
            f"Cannot serve at {host}:{port}: the port is in use already, perhaps by another radar.",
            "Stop that one, or take another port with --port or RADAR_PORT.",
        )
    hint = "Take a port from 1024 up with --port or RADAR_PORT." if error.errno == errno.EACCES else ""
    return RadarError(f"Cannot serve at {host}:{port}: {error.strerror}.", hint)


def check_doors(engine: "sa.Engine", settings: "Settings", address: list[socket.socket]) -> None:
    """Raises CallerError where others could reach the radar, and nobody is to be told apart by a key or a name."""
    from radar.access import has_door
    from radar.store.engine import reading
    from radar.web.origins import is_loopback

    is_open = not all(is_loopback(one.getsockname()[0]) for one in address)
    if not is_open and not settings.behind_proxy:
        return
    with reading(engine) as session:
        if has_door(session, datetime.now(UTC)):
            return
    for one in address:
        one.close()
    where = f"at {settings.host or '0.0.0.0'}" if is_open else "behind a proxy"
    raise CallerError(
        f"Serving {where} needs a key or a user first: else anybody who reaches it could read and write all there is.",
        "Make one, then start again: radar keys create --scope admin\n"
        "                         or: radar users add NAME --role admin",
    )


def serve_forever(
    engine: "sa.Engine", settings: "Settings", address: list[socket.socket], *, with_scheduler: bool = True
) -> None:
    """API and pages in this process, the scheduler in a child, so that work never blocks an answer."""
    import uvicorn

    from radar.api import create_app
    from radar.cli.child import Keeper
    from radar.cli.connections import QUEUE, Server

    check_doors(engine, settings, address)
    log_to_terminal(settings)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    host, port = settings.host or "0.0.0.0", address[0].getsockname()[1]
    server = Server(
        uvicorn.Config(
            create_app(engine, settings),
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,  # who asks is what the connection says; radar.web.origins reads the rest
            timeout_graceful_shutdown=5,
        )
    )
    share_arenas()
    sys.setswitchinterval(_TURN)
    gc.freeze()  # what is loaded stays: nobody need look through it again and again,
    gc.set_threshold(_OBJECTS)  # nor through each batch of posts several times
    try:
        for one in address:
            one.listen(QUEUE)
    except OSError as error:
        raise _not_to_be_had(host, port, error) from error
    with ExitStack() as ending:
        if with_scheduler:
            ending.enter_context(Keeper(engine, settings))
        ending.callback(signal.signal, signal.SIGINT, signal.SIG_IGN)  # first of all: ending takes its time
        console.print(f"radar is at http://{f'[{host}]' if ':' in host else host}:{port} (stop with Ctrl-C)")
        with suppress(KeyboardInterrupt):
            server.run(sockets=address)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to serve at; else RADAR_HOST.")] = None,
    port: Port = None,
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="A proxy stands before: loopback needs a key too.")
    ] = False,
    no_scheduler: Annotated[bool, typer.Option("--no-scheduler", help="Serve only; jobs run elsewhere.")] = False,
) -> None:
    """Serve API and pages, with the scheduler as a child process."""
    settings, engine = open_engine()
    given: dict[str, object] = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    if behind_proxy:
        given["behind_proxy"] = True
    settings = settings.model_copy(update=given)
    serve_forever(engine, settings, take_address(settings), with_scheduler=not no_scheduler)


def schedule() -> None:
    """Run the scheduler alone; stands by while another process holds the lease."""
    from radar.cli.child import run_scheduler

    settings, engine = open_engine()
    log_to_terminal(settings)
    run_scheduler(engine, settings)
