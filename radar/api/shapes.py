"""Shapes of the answers, for OpenAPI and for JSON on any face."""

from datetime import UTC, date, datetime
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field


class Shape(BaseModel):
    """An answer's shape: nothing beyond what is declared."""

    model_config = ConfigDict(extra="forbid")


class Key(Shape):
    text: str = Field(
        description="As counted: a topic id, hashtag, term, place code, product id, or the name of a tracked key."
    )
    kind: str = Field(description="topic, hashtag, term, place, product or tracked.")
    gloss: str | None = Field(
        description="For those who do not read it: the English name of a place, topic or product, else how it "
        "sounds in Latin letters; null where `name` says it."
    )


class TopicName(Shape):
    id: str
    name: str


class TrendWindow(Shape):
    start: datetime
    end: datetime
    buckets: int = Field(description="Length in buckets.")
    bucket: str = Field(description="15m, 1h or 1d.")


class Variant(Shape):
    id: str = Field(description="Answers at /v1/trends/{id} with its leader, unless it led at some time itself.")
    name: str
    kind: str
    place_market: str | None
    merged: bool = Field(False, description="An editor made it a variant; else the same people used it.")


class Decision(Shape):
    """What an editor decided of a trend; detection's facts stay as they are."""

    id: int
    action: Literal["mute", "hold", "rename", "merge", "undo"]
    scope: Literal["trend", "key"] = Field(description="key: this trend's key in its market, from then on.")
    reason: str
    who: str
    decided_at: datetime
    name: str | None = Field(description="Of a rename.")
    into: str | None = Field(description="The trend that it was merged into.")


class Complaints(Shape):
    share: float = Field(description="Of the posts, those that blame.")
    posts: int = Field(description="Posts whose tone was read.")
    sentence: str


class AuthorMarket(Shape):
    code: str
    source: str = Field(description="declared, import, source, or inferred from the author's posts.")
    confidence: float
    reasons: str | None = Field(description="What speaks for an inferred market; null for others.")


class EvidenceAuthor(Shape):
    id: str = Field(description="Answers at /v1/authors/{id}.")
    handle: str | None
    name: str | None
    follower_count: int | None
    person_id: str = Field(description="The same for all accounts of one person.")
    market: AuthorMarket = Field(description="How the author's audience market is known.")
    complaints: Complaints | None = Field(
        description="Among all stored posts of the person; only in a trend's working."
    )


class EvidencePost(Shape):
    id: str
    platform: str
    native_id: str = Field(description="The post's id at its platform.")
    text: str | None = Field(description="Null once pruned.")
    language: str | None
    url: str | None
    published_at: datetime
    author: EvidenceAuthor
    like_count: int | None = Field(description="Counts are null when hidden, never 0.")
    comment_count: int | None
    share_count: int | None
    view_count: int | None
    sponsored: bool
    tone: Literal["negative", "neutral", "positive"] | None = Field(description="Null: read before there was one.")


class Novelty(Shape):
    days_used: int = Field(description="Local days before the window on which anybody used the key.")
    days: int = Field(description="Days that were looked at.")


class SeasonSeen(Shape):
    source: Literal["last_year", "calendar"]
    name: str | None = Field(description="The season's name, where the calendar knows it.")
    around: str | None = Field(None, description="The day of last year it is compared with.")
    expected: float | None = Field(None, description="Person-days in seven days, had it been as last year.")
    ratio: float | None = Field(description="This year's week over last year's, shrunken; null: last year is unknown.")
    ratio_floor: float | None = Field(None, description="At least this, with 95 % confidence.")


class NarrowSign(Shape):
    reason: Literal["same_words", "same_taste", "same_minutes", "new_accounts"]
    share: float = Field(description="Share of the persons who show the sign.")
    sentence: str


class Trend(Shape):
    """One line of a list: what rose, by how much, how sure, who said it."""

    id: str
    rank: int | None = Field(description="1 is first; null outside a list.")
    name: str = Field(description="The key as the market writes it, or what an editor calls it.")
    name_before: str | None = Field(None, description="The key as the market writes it, where an editor renamed it.")
    key: Key
    topic: TopicName | None = Field(description="Plurality of its posts' topics; null when most have none.")
    market: str = Field(description="Audience market.")
    place_market: str | None = Field(description="Where the thing is; null when the posts do not agree on a place.")
    stage: str
    stage_since: datetime
    onset_at: datetime = Field(description="End of the first bucket in which it was on.")
    ended_at: datetime | None
    seen_at: datetime = Field(description="The moment whose figures are shown: its best in the list's window.")
    observed: float = Field(description="Persons in the window, each once a local day.")
    expected: float = Field(description="Persons foretold by the baseline for the KOLs then heard.")
    lift: float = Field(description="Likely ratio of observed and expected, shrunken.")
    lift_floor: float = Field(description="5 % quantile of the ratio: at least this.")
    p: float = Field(description="Chance of this or more in any window, had nothing changed.")
    q: float = Field(description="p after all tests at once (Benjamini-Hochberg).")
    score: float = Field(description="-log10 p x log2 lift x engagement_factor; orders the list.")
    engagement_factor: float
    tests: int = Field(description="Hypotheses tested at that moment.")
    window: TrendWindow
    persons: int = Field(description="Distinct persons over the window.")
    heard: int = Field(description="Distinct persons of the market who posted anything in the window.")
    posts: int
    platforms: int
    tiers: dict[str, int] = Field(
        description="Persons by size of account: mega, macro, mid, micro, nano, below, unknown."
    )
    sponsored_share: float | None
    complaints: Complaints | None = Field(description="Posts of the window that blame; null where no tone was read.")
    novelty: Novelty
    season: SeasonSeen | None = Field(description="What last year or the calendar says; null where it says nothing.")
    narrow: list[NarrowSign] = Field(
        description="Why the crowd may be one hand; ranked at half its score. Empty: no sign."
    )
    variants: list[Variant] = Field(description="Other keys the same persons used.")
    evidence: list[EvidencePost] = Field(description="Up to five posts by different persons, living ones.")
    sparkline: list[int | None] = Field(description="Persons a day, 28 days to as_of; null where nothing is counted.")
    sentence: str
    curation: list[Decision] = Field(
        default_factory=list, description="What editors decided of it and why; one that is muted or held shows with "
        "`curated=all` only."
    )  # fmt: skip


class Span(Shape):
    start: datetime
    end: datetime


class ListCoverage(Shape):
    persons: int = Field(description="Distinct persons of the market heard in the window.")
    posts: int
    sources: int
    platforms: int
    days: int = Field(description="Local days counted up to as_of.")


class ShadowSeen(Shape):
    """What the same code found where there can be no trend: whole person-days dealt out among days of one weekday."""

    last_day: date
    days: int = Field(description="Days on which something could be found.")
    trends: int = Field(description="Found as things are, at the bucket lengths of the list.")
    shadow_trends: float = Field(description="Found in the shadow.")
    trends_a_day: float
    shadow_trends_a_day: float
    share: float | None = Field(description="False over found, a day; null where nothing was found.")
    warning: bool = Field(description="Whether the share is above twice q.")
    sentence: str


class TrendPage(Shape):
    """A page of trends and what holds for the whole list."""

    items: list[Trend]
    next: str | None = Field(description="Cursor of the next page; null on the last.")
    total: int = Field(description="Lines of the whole list.")
    left_out: int = Field(0, description="Lines that editors muted or hold back; `curated=all` has them.")
    market: str
    place: str | None
    scope: str
    window: Span | None
    as_of: datetime | None = Field(description="The moment looked back from; null where nothing is counted.")
    model_id: str
    simulated: bool
    status: Literal["ok", "not_enough_history", "no_data"]
    message: str
    coverage: ListCoverage
    shadow: ShadowSeen | None = Field(description="The market's newest shadow run; null where there was none yet.")
    q: float
    note: str


class CurvePoint(Shape):
    start: datetime
    persons: int
    heard: int = Field(description="Persons of the market who posted in the bucket.")
    expected: float | None = Field(description="rate x heard.")
    low: int | None = Field(description="From here to `high` 95 in 100 buckets lie, had nothing changed.")
    high: int | None


class Curve(Shape):
    bucket: str
    rate: float | None = Field(description="Persons expected of each KOL heard in a bucket: median over the moments.")
    dispersion: float | None = Field(description="Variance over mean of the counts, as the test took it: 1 is Poisson.")
    points: list[CurvePoint]


class StageChange(Shape):
    stage: str
    since: datetime


class Moment(Shape):
    as_of: datetime
    at: datetime
    is_daily: bool = Field(description="Sums up a local day by its best moment.")
    stage: str
    buckets: int
    observed: float
    expected: float
    lift: float
    lift_floor: float
    q: float
    score: float
    persons: int


class TrendWorking(Trend):
    """One trend with everything it was found by."""

    asked: str = Field(description="The id asked for; `id` is the leader's where a variant was asked for.")
    as_of: datetime
    model_id: str
    simulated: bool
    coverage: ListCoverage = Field(description="What was heard of the market in the trend's window, as it is now.")
    curve: Curve
    stages: list[StageChange]
    history: list[Moment]


class TrendPosts(Shape):
    """A page of the posts behind a trend, oldest first."""

    items: list[EvidencePost]
    next: str | None = Field(description="Cursor of the next page; null on the last.")
    total: int = Field(description="Posts of the window that hold the trend's key.")
    persons: int = Field(description="Distinct persons who wrote them.")
    trend: str = Field(description="The trend's id; its leader's where a variant was asked for.")
    window: Span
    simulated: bool


class MarketLine(Shape):
    code: str
    name: str
    languages: list[str]
    zone: str
    posts: int = Field(description="Posts counted, and those that wait to be classified.")
    persons: int
    days: int = Field(description="Local days counted.")
    trends: int = Field(description="Lines of the default list: 7 days, travel and shopping.")
    as_of: datetime | None
    status: Literal["ok", "not_enough_history", "no_data"]
    message: str


class Markets(Shape):
    items: list[MarketLine]
    next: str | None = Field(None, description="Cursor of the next page; null on the last.")
    simulated: bool


class TopicLine(Shape):
    id: str
    group: str
    name: str
    definition: str
    names: dict[str, str]


class Topics(Shape):
    items: list[TopicLine]
    next: str | None = Field(None, description="Cursor of the next page; null on the last.")


class CoverageLine(Shape):
    market: str
    source: str
    kind: str
    authors: int
    persons: int
    posts: int
    first_post_at: datetime
    last_post_at: datetime
    last_success_at: datetime | None
    last_error_at: datetime | None
    last_error: str | None
    lag_seconds: int = Field(description="Since the moment up to which the source was read, else since its last post.")
    rejected: int = Field(description="Items of the source that were set aside, over all markets.")


class MarketWaiting(Shape):
    market: str
    unclassified: int = Field(description="Posts that wait for classification.")
    dirty_days: int = Field(description="Days that wait for a recount.")
    languages: dict[str, int] = Field(description="Posts by the language read in them (BCP 47), most first.")
    inferred_authors: int = Field(description="Accounts whose market nobody declared: inferred from their posts.")
    other_languages: int = Field(description="Posts in languages that are not read: counted, without topics or tone.")
    shadow: ShadowSeen | None = Field(description="The newest shadow run, against q = 0.05; null before the first.")


class PausedAccount(Shape):
    handle: str
    reason: str


class BudgetLine(Shape):
    what: str = Field(description="`units` or `requests` of the platform's quota, or USD.")
    period: str = Field(description="The day or month.")
    used: float
    limit: float
    ends_at: datetime


class SourceLine(Shape):
    source: str
    kind: str
    state: Literal["ok", "paused", "waiting", "failing"]
    reason: str | None = Field(description="Why it is not ok.")
    watched: int = Field(description="Accounts on its watch list.")
    failing_accounts: int = Field(description="Of those, accounts whose last asking failed.")
    paused_accounts: list[PausedAccount]
    rejected: int = Field(description="Items and answers of it that were set aside.")
    budgets: list[BudgetLine] = Field(description="What may be used of it in a period, and what was.")
    derives: bool = Field(description="Whether its posts may be read and counted; else they are only stored.")


class SilentSource(Shape):
    source: str
    last_success_at: datetime | None
    last_error_at: datetime | None
    last_error: str | None
    rejected: int


class JobRun(Shape):
    job: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    rows_in: int | None
    rows_out: int | None
    detail: str | None
    error: str | None


class Coverage(Shape):
    items: list[CoverageLine]
    next: str | None = Field(None, description="Cursor of the next page; null on the last.")
    markets: list[MarketWaiting]
    sources: list[SourceLine] = Field(description="Configured sources and how each fares.")
    silent_sources: list[SilentSource] = Field(description="Sources that gave no post that is kept.")
    runs: list[JobRun] = Field(description="The newest run of each job.")
    simulated: bool
    now: datetime


class ScoreTenth(Shape):
    from_: float = Field(alias="from", description="Lowest probability of the tenth.")
    share: float = Field(description="Share of the posts whose highest probability lies in it.")
    trained: float = Field(description="The same of the training labels, by classifiers that had not seen the post.")


class MovedTopic(Shape):
    topic: str
    share: float = Field(description="Of all topics given.")
    trained: float = Field(description="Of all topics in the training labels.")


class DriftLine(Shape):
    """One market's posts of seven local days against what the model was trained on; null where it is not known."""

    market: str
    status: Literal["ok", "not_enough_posts", "not_measured"]
    message: str
    last_day: date | None = Field(description="The last local day that was looked at.")
    days: int | None
    posts: int | None = Field(description="Read in these days by the model.")
    sample: int | None = Field(description="Posts whose scores and words were looked at.")
    labels: int | None = Field(description="Training labels in the market's languages.")
    score_divergence: float | None = Field(description="Of the highest probability, by tenths, in bits.")
    score_divergence_by_chance: float | None = Field(description="What as many posts of one kind would show.")
    topic_divergence: float | None = Field(description="Of the topics given, in bits.")
    topic_divergence_by_chance: float | None
    no_topic_share: float | None = Field(description="Posts that were given no topic.")
    no_topic_share_trained: float | None = Field(description="Off-topic labels.")
    unknown_share: float | None = Field(description="Words that the model has never seen.")
    unknown_share_frozen: float | None = Field(description="The same on the frozen test posts of these languages.")
    scores: list[ScoreTenth]
    moved: list[MovedTopic] = Field(description="Topics whose share moved most.")
    measured_at: datetime | None


class Drift(Shape):
    items: list[DriftLine]
    next: str | None = Field(None, description="Cursor of the next page; null on the last.")
    model_id: str
    simulated: bool


class ArrivalError(Shape):
    """Forecasts of a horizon against what came later, on onsets after those that they were learnt from."""

    days: float
    n: int = Field(description="Live trends by markets they had not reached, by moments.")
    hits: int = Field(description="Of those, reached in time.")
    base_rate: float
    average_precision: float | None
    auc: float | None
    calibration_error: float = Field(description="Mean distance of the probability from the share that came.")
    skill: float = Field(description="1 - log score over that of each market's own rate; 0 knows no better.")
    skill_floor: float = Field(description="Its 1 % bootstrap quantile.")


class ArrivalModel(Shape):
    name: str
    fitted_at: datetime
    window: Span = Field(description="Onsets it was learnt from.")
    trends: int
    arrivals: int = Field(description="Of their onsets, those in a further market.")
    coverage: float | None = Field(description="Share of later onsets inside the 80 % interval.")
    errors: list[ArrivalError]


class ArrivalChance(Shape):
    days: float
    probability: float


class SeenIn(Shape):
    market: str
    trend: str
    onset_at: datetime
    days_ago: float


class UsualLag(Shape):
    """80 % of the lags from the market that has led there most often."""

    from_: str = Field(alias="from")
    n: int
    low_days: float
    high_days: float


class Arrival(Shape):
    name: str
    key: Key
    market: str
    group: str | None = Field(description="travel or shop; null where its topic is not known.")
    probabilities: list[ArrivalChance]
    expected_at: datetime = Field(description="Median of the onset, if it comes within 14 days.")
    low_at: datetime = Field(description="The 80 % interval begins.")
    high_at: datetime
    seen: list[SeenIn]
    usual: UsualLag | None
    error: ArrivalError | None = Field(description="Of forecasts within 7 days.")
    sentence: str


class Arrivals(Shape):
    items: list[Arrival]
    next: str | None = Field(None, description="Cursor of the next page; null on the last.")
    total: int
    market: str
    model_id: str
    simulated: bool
    as_of: datetime | None
    status: Literal["ok", "no_forecast", "not_fitted"]
    message: str
    model: ArrivalModel | None


class LeadLine(Shape):
    """Two markets by the order of onsets of the trends they share; null where there are too few."""

    first: str
    second: str
    group: str
    shared: int
    ties: int
    share_first: float | None = Field(description="Of the trends that are no ties, those the first market had first.")
    p: float | None = Field(description="Two-sided sign test.")
    q: float | None = Field(description="p after all pairs.")
    null_share: float | None = Field(description="The share first that the hours of the day alone would make.")
    null_p: float | None
    null_q: float | None
    median_lag_hours: float | None
    low_hours: float | None = Field(description="95 % interval of the median.")
    high_hours: float | None
    step_hours: float
    lead: bool
    answer: str
    window: Span


class Leads(Shape):
    items: list[LeadLine]
    next: str | None = Field(None, description="Cursor of the next page; null on the last.")
    group: str
    model_id: str
    message: str
    fitted_at: datetime | None
    simulated: bool


class PathStop(Shape):
    market: str
    name: str
    trend: str = Field(description="Its trend there.")
    onset_at: datetime
    ended_at: datetime | None
    stage: str
    hours_after_first: float
    found_by: Literal["hour", "day"]


class TrendPath(Shape):
    id: str
    market: str
    keys: list[str]
    items: list[PathStop]
    expected: list[Arrival]
    next: str | None = Field(None, description="Cursor of the next page; null on the last.")
    model_id: str
    model: ArrivalModel | None
    simulated: bool


class SchedulerState(Shape):
    active: bool
    until: datetime | None


class Health(Shape):
    status: Literal["ok", "degraded"]
    problems: list[str]
    store: str
    world: str | None = Field(description="simulated, real, or null for an empty store.")
    scheduler: SchedulerState
    unclassified: int
    dirty_days: int
    runs: list[JobRun]
    now: datetime


class Alive(Shape):
    status: Literal["ok"] = "ok"


class Ready(Alive):
    reads: str | None = Field(
        None, description="Where a replica is configured: whether it answers reads, else why the primary does."
    )


class Problem(Shape):
    """What every error answers with (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = Field(description="What is wrong, in one sentence.")
    hint: str = Field(description="What to do next.")
    near: list[str] = Field(description="Names that may have been meant.")
    instance: str = Field(description="The path asked for.")
    request_id: str = Field(description="The answer's `X-Request-Id`: a failure stands under it in the log.")


def _clean(text: str) -> str:
    if "\x00" in text or not (text.isascii() or _is_whole(text)):
        raise ValueError("a NUL character or half a surrogate pair")
    return text


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _plausible(at: datetime) -> datetime:
    if not 1970 <= at.year < 9000:
        raise ValueError("expected a time between 1990 and tomorrow")
    return at.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(_plausible)]
Name = Annotated[str, AfterValidator(_clean)]
Count = Annotated[int | None, Field(description="Leave out or null when hidden, never 0 for that.")]


class PushedAuthor(Shape):
    native_id: Name = Field(description="The author's id at the platform.")
    audience_market: Name | None = Field(
        None,
        description="ISO code of the market the author speaks to. Left out, it is inferred from the posts of the batch"
        " and the bio where they are sure enough, else the posts are rejected.",
    )
    handle: Name | None = None
    name: Name | None = None
    url: Name | None = None
    bio: Name | None = None
    languages: Name | None = None
    follower_count: int | None = Field(None, ge=0, lt=2**53)
    person: Name | None = Field(None, description="Any id that accounts of one person share.")


class PushedPost(Shape):
    """A post as a collector pushes it; (platform, native_id) is its identity."""

    platform: Name
    native_id: Name
    author: PushedAuthor | None = Field(None, description="Required unless deleted.")
    text: str = Field("", description="Required unless deleted.")
    published_at: Instant | None = Field(None, description="ISO 8601 with its zone. Required unless deleted.")
    day_only: bool = Field(False, description="Only the day is known: counted by day, never by hour.")
    language: Name | None = Field(None, max_length=16, description="BCP 47 tag.")
    url: Name | None = None
    media_kind: Name | None = Field(None, max_length=16)
    repost_of: Name | None = Field(None, max_length=255)
    sponsored: bool | None = None
    like_count: Count = None
    comment_count: Count = None
    share_count: Count = None
    view_count: Count = None
    edited_at: Instant | None = None
    deleted: bool = Field(False, description="A tombstone: the post is gone at its source.")


class Pushed(Shape):
    index: int = Field(description="Position in the batch.")
    platform: str | None
    native_id: str | None
    result: Literal["created", "changed", "unchanged", "deleted", "rejected"]
    field: str | None = Field(None, description="The field at fault, when rejected.")
    reason: str | None = Field(None, description="What was expected, when rejected.")


class PushResult(Shape):
    """What became of each post, in the order given."""

    items: list[Pushed]
    created: int
    changed: int
    unchanged: int
    deleted: int
    rejected: int


class MarketBeside(Shape):
    market: str
    is_own: bool = Field(description="The market the trend was asked of.")
    trend: str | None = Field(description="The newest trend of the same key there.")
    onsets: list[datetime] = Field(description="When it came on there, in these days.")
    first_day: date | None = Field(description="The first of these days on which anybody used the key.")
    persons: list[int | None] = Field(description="KOLs who used the key, by local day; null where none is counted.")
    heard: list[int | None]


class MarketsBeside(Shape):
    items: list[MarketBeside] = Field(
        description="Markets in which the key was used, the first to see it come on first."
    )
    next: str | None = Field(None, description="Cursor of the next page; null on the last.")
    days: list[date] = Field(description="The local days that the lists of numbers run over.")
    as_of: datetime
    simulated: bool


class MatrixCell(Shape):
    market: str
    persons_a_day: float
    share: float | None = Field(
        description="Of the KOLs heard on a day, those who mention it; null where none was heard."
    )
    usual_share: float | None = Field(description="The same in the 28 days before.")
    change: float | None = Field(description="share over usual_share; null where there are fewer than 10 mentions.")
    trends: int


class MatrixRow(Shape):
    table_of: ClassVar[str] = "cells"
    """A table has a row for each of them."""

    id: str
    name: str
    cells: list[MatrixCell]


class Matrix(Shape):
    items: list[MatrixRow] = Field(
        description="Places, countries or those inside one; or topics. Most mentioned first."
    )
    next: str | None = Field(None, description="Cursor of the next page; null on the last.")
    by: Literal["place", "topic"]
    place: str | None
    window: str
    heard: dict[str, float] = Field(description="KOLs heard a day, by market.")
    simulated: bool
