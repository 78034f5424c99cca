"""One market's past: the moments that can be judged, the lists as of each, and the counts that came after."""

from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from radar.answers.items import Ranked
from radar.answers.listing import ranked
from radar.answers.question import ask
from radar.answers.standing import Standing, standing
from radar.backtest.plan import LIST_Q, Plan
from radar.keys import Kind, kinds_of
from radar.markets import Market, day_start, local_day
from radar.store import trends as store
from radar.store.counts import counted_days
from radar.trends.evaluation import (
    BASELINE_DAYS,
    LEAST_BASELINE_DAYS,
    LIST_DAYS,
    DayRows,
    History,
    Outcome,
)
from radar.windows import RANKED, Bucket

_CHUNK_DAYS = 24


class Replay:
    """One market's lists and history over the days that a plan can judge."""

    def __init__(self, session: Session, about: Market, plan: Plan) -> None:
        self.session, self.market, self.plan = session, about, plan
        self.stand: Standing = standing(session, about)
        self.counted = store.counted_days_of(session, self.stand.model_id, about.code)
        self.kept_from = store.oldest_snapshot(session, self.stand.model_id, about.code, RANKED)
        self.moments: list[date] = []
        self.skipped = {"too_early": 0, "too_late": 0}
        self.histories: dict[Kind, History] = {}
        self._outcomes: dict[tuple[Kind, int], Outcome] = {}
        self._standings: dict[date, Standing] = {}
        self._listings: list[store.Listing] | None = None
        self._choose()

    # ---- which moments ----

    def _choose(self) -> None:
        """The moments: back from the last in steps, those that can be judged; the others are counted."""
        self.earliest, self.latest = self._bounds()
        if self.earliest is None or self.latest is None:
            return
        first, last = self.plan.first or self.earliest, self.plan.last or self.latest
        asked = [last - timedelta(days=n) for n in range(0, (last - first).days + 1, self.plan.step)]
        self.skipped = {
            "too_early": sum(d < self.earliest for d in asked), "too_late": sum(d > self.latest for d in asked),
        }  # fmt: skip
        self.moments = sorted(d for d in asked if self.earliest <= d <= self.latest)

    def _bounds(self) -> tuple[date | None, date | None]:
        """First and last day whose lists can be judged."""
        whole = [d for d in self.counted if d.detected and d.person_count]
        if not whole or self.kept_from is None:
            return None, None
        days = {d.local_day for d in whole}
        day = max(whole[0].local_day + timedelta(days=LEAST_BASELINE_DAYS + LIST_DAYS - 1), self.day_of(self.kept_from))
        while sum(day - timedelta(days=LIST_DAYS + n) in days for n in range(BASELINE_DAYS)) < LEAST_BASELINE_DAYS:
            day += timedelta(days=1)
            if day > whole[-1].local_day:
                break
        return day, whole[-1].local_day - timedelta(days=self.plan.horizon)

    def can_list(self, on: date) -> bool:
        """Whether a list is asked for and can be judged."""
        return on in self.moments

    def day_of(self, at: datetime) -> date:
        """The last local day known at a moment."""
        return local_day(at - timedelta(microseconds=1), self.market.tz)

    def end(self, day: date) -> datetime:
        """When a local day ended."""
        return day_start(day + timedelta(days=1), self.market.tz)

    # ---- what came after ----

    def _load(self) -> None:
        """Read the counts of the days that the moments reach back and forward to."""
        self.first = self.moments[0] - timedelta(days=BASELINE_DAYS + LIST_DAYS - 1)
        last = self.moments[-1] + timedelta(days=self.plan.horizon)
        heard = [0] * ((last - self.first).days + 1)
        rows: dict[Kind, list[DayRows]] = {kind: [] for kind in Kind}
        for back in range(0, len(heard), _CHUNK_DAYS):
            start = self.first + timedelta(days=back)
            end = min(last, start + timedelta(days=_CHUNK_DAYS - 1))
            for day, counts in counted_days(self.session, self.stand.model_id, self.market.code, start, end).items():
                n = (day - self.first).days
                heard[n] = counts.day_persons
                kinds = kinds_of(counts.keys)
                for kind in Kind:
                    mine = (kinds == kind) & (counts.persons > 0)
                    rows[kind].append(DayRows(n, counts.keys[mine], counts.places[mine], counts.persons[mine]))
        self.histories = {kind: History.of(heard, blocks) for kind, blocks in rows.items()}

    def history(self, kind: Kind) -> History:
        """A kind's counts over the days that the moments reach."""
        if not self.histories:
            self._load()
        return self.histories[kind]

    def outcome(self, kind: Kind, day: date) -> Outcome | None:
        """What became of a kind's series after a day; None where it cannot be judged."""
        history = self.history(kind)
        n = (day - self.first).days
        if not history.can_judge(n, self.plan.horizon):
            return None
        if (kind, n) not in self._outcomes:
            self._outcomes[kind, n] = history.outcome(n, self.plan.horizon, self.plan.times)
        return self._outcomes[kind, n]

    def judged(self, kind: Kind, key: int, place: int, day: date) -> tuple[bool | None, bool]:
        """Whether a series became large (None where that cannot be judged), and whether it was so already."""
        outcome = self.outcome(kind, day)
        if outcome is None:
            return None, False
        series = self.history(kind).find(key, place)
        return (bool(outcome.large[series]), bool(outcome.already[series])) if series >= 0 else (False, False)

    # ---- lists ----

    def lines(self, on: date, kind: Kind | None, bucket: Bucket | None) -> list[Ranked]:
        """The list as of the end of a day."""
        if on not in self._standings:
            self._standings[on] = standing(self.session, self.market, self.end(on))
        stand = self._standings[on]
        question = ask(
            market_code=self.market.code, kind=kind.name.lower() if kind is not None else None,
            bucket=bucket.value if bucket else None, window=f"{LIST_DAYS}d", q=LIST_Q, scope=self.plan.scope,
            curated="all",
        )  # fmt: skip
        return ranked(self.session, question, stand) if stand.status == "ok" else []

    def listings(self) -> list[store.Listing]:
        """All moments at which trends were listed that matter to the period's movers."""
        if self._listings is None:
            after = self.end(self.moments[0]) - timedelta(days=self.plan.horizon + LIST_DAYS)
            upto = self.end(self.moments[-1] + timedelta(days=self.plan.horizon + LIST_DAYS))
            self._listings = store.listings(
                self.session, self.stand.model_id, self.market.code, after, upto, q=LIST_Q, buckets=RANKED
            )
        return self._listings
