"""Laying days out, and writing what was read in them: the one side of a backfill that has the database."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from radar.backfill.columns import MENTION, POST, pack, unpack
from radar.backfill.crew import Crew
from radar.backfill.reading import Day, DayRead, Source, day_posts_of, readings_of
from radar.classify import Waiting, batch_of, put_readings
from radar.count import named_topics, names_of
from radar.errors import RadarError
from radar.held import held_sources
from radar.registry import load_taxonomy
from radar.scheduling import Context, alone, run_job
from radar.store import counts, posts, source_days, transfer, work
from radar.store import filling as store
from radar.store.day_blob import DayCounts
from radar.store.day_columns import columns_of
from radar.store.engine import reading, writing
from radar.store.filling import FillPost
from radar.store.lasting import lasting
from radar.store.tracked import put_mentions
from radar.store.work import Piece
from radar.tracked import open_forms
from radar.transfer import read_manifest
from radar.transfer.places import Place
from radar.transfer.shapes import name_of

WORK = "backfill"
"""The kind of its pieces of work: a market's local day each, and one for what comes after them."""
_AFTER = "then the jobs"
ROUNDS = 5
"""How often days are laid out again that changed while they were out."""
Progress = Callable[[str, int, int | None], None]


@dataclass(slots=True)
class Filled:
    """What came of it. left: days that stay as they are, by the reason; resumed: days that an earlier run had done."""

    posts: int = 0
    days: int = 0
    resumed: int = 0
    from_export: int = 0
    left: dict[str, int] = field(default_factory=dict)
    then: list[str] = field(default_factory=list)


class _Out(NamedTuple):
    """A day that is out. mark: by which it waits for a recount since; from_export: its texts are read there."""

    piece: Piece
    market: str
    on: date
    mark: int | None
    tracked: str
    posts: Sequence[FillPost]
    from_export: bool


def backfill(
    context: Context,
    crew: "Crew[_Out]",
    *,
    markets: Sequence[str],
    first: date = date.min,
    last: date = date.max,
    export: str | None = None,
    anew: bool = False,
    progress: Progress = lambda what, done, of: None,
) -> Filled:
    """Read and count whole days anew by the active model, then let the jobs count what is left and detect.

    markets, first, last  of which days;  export  where `radar db export` wrote texts to, None: they come from the store
    anew                  whether days that an unfinished run of the same has done are done once more

    Raises RadarError where posts or tracked keys change faster than they are read, and what the crew raises.
    """
    with alone(WORK, context):
        return _Backfill(context, crew, export, progress).run(markets, first, last, anew)


class _Backfill:
    def __init__(self, context: Context, crew: "Crew[_Out]", export: str | None, progress: Progress) -> None:
        self._context, self._crew, self._progress = context, crew, progress
        self._engine, self._model = context.engine, context.model_id
        self._url = export
        self._digests = {}
        if export is not None:
            self._digests = {part.name: part.sha256 for part in read_manifest(Place(export)).parts}
        self._done = Filled()
        self._topics, self._named = named_topics(load_taxonomy().ids), set[int]()
        self._of = 0

    def run(self, markets: Sequence[str], first: date, last: date, anew: bool) -> Filled:
        self._lay_out(markets, first, last, anew)
        for turn in range(ROUNDS):
            with reading(self._engine) as session:
                waiting = [piece for piece in work.left(session, WORK) if piece.subject != _AFTER]
            if not waiting:
                break
            given = self._given(waiting, from_export=turn == 0)
            for out, read in self._crew(self._context.model_folder, given):
                self._write(out, read)
        else:
            raise RadarError(
                "Posts, tracked keys or the active model changed while posts were read anew.",
                "Run it again: it goes on with the days that are left.",
            )
        self._then()
        return self._done

    def _lay_out(self, markets: Sequence[str], first: date, last: date, anew: bool) -> None:
        """Lay out a piece a day; what an unfinished run of the same has left is gone on with."""
        scope = f"{self._model} {','.join(sorted(markets))} {first} {last}"
        with reading(self._engine) as session:
            before = work.left(session, WORK)
            if before and not anew and all(piece.argument["scope"] == scope for piece in before):
                self._of = before[0].argument["of"]
                self._done.resumed = self._of - sum(piece.subject != _AFTER for piece in before)
                return
            days = [(m, d) for m in sorted(markets) for d in transfer.days_of(session, m) if first <= d <= last]
        shared: dict[str, Any] = {"scope": scope, "of": len(days)}
        pieces = {f"{m} {d}": shared | {"market": m, "day": d.isoformat()} for m, d in days} | {_AFTER: shared}
        lasting(self._engine, lambda session: work.put_out(session, WORK, pieces, self._context.now))
        self._of = len(days)

    # ---- out ----

    def _given(self, waiting: Sequence[Piece], *, from_export: bool) -> Iterator[tuple[_Out, Day]]:
        """Days as they are taken; those that stay as they are are done at once."""
        for piece in waiting:
            found = lasting(self._engine, partial(self._hand_out, piece, from_export))
            if found is not None:
                yield found

    def _hand_out(self, piece: Piece, from_export: bool, session: Session) -> tuple[_Out, Day] | None:
        market, on = piece.argument["market"], date.fromisoformat(piece.argument["day"])
        name = name_of("post", (market, on))
        source = None
        if from_export and self._url is not None and name in self._digests:
            source = Source(self._url, name, self._digests[name])
        if counts.sealed_days(session, market, [on]):
            self._leave(session, piece, "sealed, their texts being pruned")
            return None
        posts.mark_dirty(session, [(market, on)])  # first: whoever changes a post from here on leaves another mark
        found = store.fill_posts(session, market, on, held_sources(session), texts=source is None)
        if not found or any(post.is_pruned for post in found):
            self._leave(session, piece, "with posts that have no text any more" if found else "without posts")
            return None
        version, forms = open_forms(session)
        out = _Out(piece, market, on, store.mark_of(session, market, on), version, found, source is not None)
        return out, Day(market, on.isoformat(), pack(POST, found), forms, source)

    def _leave(self, session: Session, piece: Piece, why: str) -> None:
        self._done.left[why] = self._done.left.get(why, 0) + 1
        work.drop(session, piece)

    # ---- back ----

    def _write(self, out: _Out, read: DayRead) -> None:
        """Write a day's readings and counts, and that it is done, in one transaction."""
        if read.missing:  # the export has another version of some posts: the next round reads the store's texts
            return
        readings = readings_of(read.readings)
        done = lasting(self._engine, lambda session: self._put(session, out, read, readings))
        if done:
            self._done.posts += done
            self._done.days += 1
            self._done.from_export += out.from_export
        self._progress("days", self._done.resumed + self._done.days + sum(self._done.left.values()), self._of)

    def _put(self, session: Session, out: _Out, read: DayRead, readings: Sequence[Any]) -> int:
        """How many posts were stored; none where something is in force since that they were not read by."""
        if not work.is_there(session, out.piece):
            return 0
        mark, held = store.mark_of(session, out.market, out.on), held_sources(session)
        now_there = store.revisions_of(session, out.market, out.on, held)
        same = [now_there.get(post.id) == post.revision for post in out.posts]
        some = [pair for pair, is_same in zip(zip(out.posts, readings, strict=True), same, strict=True) if is_same]
        waiting = [Waiting(post.id, post.author_id, post.revision, out.market, out.on) for post, _ in some]
        batch = batch_of(waiting, [said for _, said in some], out.tracked)
        stored = put_readings(session, self._model, batch, self._context.now)
        if some and not stored:
            return 0
        if mark == out.mark and all(same) and len(now_there) == len(same):
            self._count(session, out, read, readings)
        work.drop(session, out.piece)
        return stored

    def _count(self, session: Session, out: _Out, read: DayRead, readings: Sequence[Any]) -> None:
        """Put the counts in place: what they rest on is what is stored."""
        counted = DayCounts.from_bytes(read.counts)
        day = (out.on, counted, len(out.posts))
        items = columns_of(day_posts_of(out.posts, readings))
        names = names_of(session, [day], {out.on: items}, self._topics, self._named)
        counts.add_keys(session, names)
        counts.put_days(session, self._model, out.market, [day], self._context.now)
        mentions = [
            {"key_hash": key, "audience_market": out.market, "local_day": out.on, "person_id": who, "post_count": n}
            for key, who, n in unpack(MENTION, read.mentions)
        ]
        put_mentions(session, out.market, {out.on: mentions})
        source_days.put(session, out.market, {out.on: source_days.given(session, out.market, out.on)})
        counts.drop_dirty(session, [counts.DirtyDay(out.market, out.on, 0)])

    def _then(self) -> None:
        """Let the jobs take in what changed meanwhile, and detect; then nothing is left."""
        own = replace(self._context, progress=self._progress)
        for name in ("classify_posts", "count_mentions", "detect_trends"):
            self._done.then.append(f"{name}: {run_job(name, own).detail}")
        with writing(self._engine) as session, session.begin():
            for piece in work.left(session, WORK):
                work.drop(session, piece)
