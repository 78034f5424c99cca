"""The simulated world as a source.

Each (market, local day) is drawn by itself from the seed, so however time is sliced, the same posts come. A post
arrives when it is published, or hours later; edits and deletions arrive as well.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from radar.markets import MARKETS, day_start, local_day
from radar.sources.base import Account, Batch, Capabilities, RawPost, Source
from radar.sources.world import texts
from radar.sources.world.bursts import LAGS, Injection, Plan, Spam, first_plan, week_plan
from radar.sources.world.partners import briefs_truth, planted_posts
from radar.sources.world.people import VIDEO, Person, grown, people

POSTS_A_DAY = 80.0
"""Ordinary posts of a market on a usual day."""

HYPE = 0.2
"""Share of ordinary posts that speak of an ordinary thing with a craze's excitement."""

_HOURS = np.array(
    [1.2, .6, .3, .2, .2, .4, 1, 2, 3, 3.2, 3.2, 3.6, 4.6, 4, 3.4, 3.2, 3.4, 4, 5, 6, 6.6, 6.4, 5, 3]
)  # fmt: skip
_HOURS = np.cumsum(_HOURS / _HOURS.sum())
_WEEKDAYS = (0.92, 0.9, 0.94, 0.97, 1.06, 1.14, 1.07)
_LATEST = timedelta(hours=31)
COUNTED = ("like_count", "comment_count", "share_count", "view_count")

Arrival = tuple[datetime, RawPost]


class SimulatedWorld(Source):
    """A seeded world of 8 markets that begins at starts_at and lives on for ever.

    days  the first stretch, whose injections are all in the truth file
    """

    kind = "world"
    is_simulated = True
    capabilities = Capabilities(watches=False, counts=frozenset(COUNTED), edits=True, deletes=True, back=None)

    def __init__(self, seed: int = 7, *, starts_at: datetime, days: int = 75, name: str = "world") -> None:
        self.name = name
        self.seed, self.starts_at, self.days = seed, starts_at.astimezone(UTC), days
        self._day = lru_cache(maxsize=64)(self._draw_day)
        self._bursts: dict[int, list[RawPost]] = {}

    # ---- the source ----

    def discover(self, cursor: dict[str, Any] | None, now: datetime, account: Account | None = None) -> Iterator[Batch]:
        """A day's arrivals a batch, oldest first, up to now."""
        since = datetime.fromisoformat(cursor["until"]) if cursor else self.starts_at
        while since < now:
            until = min(now, since + timedelta(days=1))
            arrivals = [a for market in MARKETS for a in self._arrivals(market, since, until)]
            arrivals.sort(key=lambda a: (a[0], a[1].platform, a[1].native_id, a[1].deleted))
            yield Batch([post for _, post in arrivals], {"until": until.isoformat()}, until)
            since = until

    def _arrivals(self, market: str, since: datetime, until: datetime) -> Iterator[Arrival]:
        """What arrives in (since, until]; at the very beginning also what arrives at it."""
        zone = MARKETS[market].tz
        day, last = local_day(since - 2 * _LATEST, zone), local_day(until, zone)
        while day <= last:
            for at, post in self._day(market, day):
                if (
                    (since < at or since == self.starts_at == at)
                    and at <= until
                    and post.published_at >= self.starts_at
                ):
                    yield at, post
            day += timedelta(days=1)

    # ---- a day ----

    def _draw_day(self, market: str, day: date) -> list[Arrival]:
        rng = np.random.default_rng([self.seed, 3, MARKETS[market].number, day.toordinal()])
        drafts = self._ordinary(rng, market, day)
        for injection in self._injections(market, day):
            drafts += [p for p in self._burst(injection) if local_day(p.published_at, MARKETS[market].tz) == day]
        for spam in self._spams(market, day):
            drafts += [p for p in self._spam_posts(spam) if local_day(p.published_at, MARKETS[market].tz) == day]
        drafts.sort(key=lambda p: (p.published_at, p.native_id))
        arrivals: list[Arrival] = []
        for post in drafts:
            if self._is_out(post):
                continue
            chance = rng.random(4)
            late = timedelta(hours=1 + 29 * chance[1]) if chance[0] < 0.03 else timedelta(0)
            at = post.published_at + late
            arrivals.append((at, post))
            after = at + timedelta(hours=1 + 20 * chance[3])
            if chance[2] < 0.003:
                arrivals.append((after, replace(post, text=post.text + " (edit)", edited_at=after)))
            elif chance[2] < 0.006:
                arrivals.append((after, replace(post, deleted=True)))
        return arrivals + [(post.published_at, post) for post in self._planted(market, day) if not self._is_out(post)]

    def _planted(self, market: str, day: date) -> Iterator[RawPost]:
        since = local_day(self.starts_at, MARKETS[market].tz)
        return planted_posts(self.seed, market, day, since, lambda rng: _moment(rng, market, day))

    def _ordinary(self, rng: np.random.Generator, market: str, day: date) -> list[RawPost]:
        crowd = people(self.seed)[market]
        free = day in _holidays(market, day.year)
        mean = POSTS_A_DAY * _WEEKDAYS[day.weekday()] * (1.2 if free else 1.0)
        n = int(rng.poisson(rng.gamma(POSTS_A_DAY / 0.7, 0.7 / POSTS_A_DAY) * mean))
        who = rng.choice(len(crowd), n, p=np.array([p.weight for p in crowd]))
        mood = dict(zip(texts.topic_ids(), rng.gamma(10, 0.1, len(texts.topic_ids())), strict=True))
        posts: list[RawPost] = []
        for i in range(n):
            person = crowd[int(who[i])]
            language = _language(rng, person)
            if posts and rng.random() < 0.02:
                before = posts[int(rng.integers(len(posts)))].text
                text = before if rng.random() < 0.4 else f"{before} {texts.pick(rng, texts.bank(language).emoji)}"
            else:
                text = self._text(rng, person, language, mood)
            posts.append(
                self._post(rng, person, language, text, f"{market}{day:%y%m%d}-{i:04d}", _moment(rng, market, day))
            )
        return posts

    def _text(self, rng: np.random.Generator, person: Person, language: str, mood: dict[str, float]) -> str:
        words = texts.bank(language)
        if rng.random() < 0.25:
            tags = [texts.pick(rng, words.none[1])] if rng.random() < 0.4 else []
            return texts.caption(rng, language, texts.sentence(rng, language, None, None)[0], tags)
        options = list(person.topics) if rng.random() < 0.7 else texts.topic_ids()
        topic = options[texts.drawn(rng, np.cumsum([mood[t] for t in options]))]
        country = person.market if rng.random() < 0.25 else texts.pick(rng, person.places)
        codes = texts.places_in(country)
        place = codes[min(int(rng.pareto(0.8)), len(codes) - 1)]
        body, named = texts.sentence(rng, language, topic, place)
        if rng.random() < HYPE:
            body, named = texts.hype(rng, language, topic, place), True
        tags = [texts.pick(rng, words.topics[topic][1]) for _ in range(int(rng.integers(0, 3)))]
        if named and rng.random() < 0.12:
            second = texts.pick(rng, options)
            body = f"{body} {texts.sentence(rng, language, second, place)[0]}"
        if rng.random() < 0.06:
            tags.append(texts.pick(rng, words.sponsored))
        return texts.caption(rng, language, body, list(dict.fromkeys(tags)))

    def _post(
        self, rng: np.random.Generator, person: Person, language: str, text: str, native_id: str, at: datetime
    ) -> RawPost:
        platform, author = person.accounts[int(rng.integers(len(person.accounts)))]
        reach = person.followers * float(np.exp(rng.normal(-3.4, 0.8)))
        shown = not person.hides_likes
        return RawPost(
            platform=platform, native_id=native_id, author=grown(author, self.seed, self.starts_at, at), text=text,
            published_at=at, language=language,
            url=f"https://simulated.invalid/{platform}/{native_id}",
            media_kind="video" if platform == VIDEO else "image",
            like_count=int(reach) if shown else None, comment_count=int(reach * 0.04),
            share_count=int(reach * 0.02), view_count=int(reach * 12) if platform == VIDEO else None,
        )  # fmt: skip

    # ---- what is injected ----

    def _plans(self, day: date) -> list[Plan]:
        """The plans that can touch a day: the first stretch's, this week's and the last's."""
        after = (day - (self.starts_at + timedelta(days=self.days)).date()).days
        plans = [first_plan(self.seed, self.starts_at, self.days)] if after < 12 else []
        return plans + [
            week_plan(self.seed, self.starts_at, self.days, week)
            for week in range(max(after // 7 - 2, 0), after // 7 + 2)
            if after >= -1
        ]

    def _injections(self, market: str, day: date) -> list[Injection]:
        zone = MARKETS[market].tz
        return [
            i
            for plan in self._plans(day)
            for i in plan.injections
            if i.market == market and 0 <= (day - local_day(i.starts_at, zone)).days <= 7
        ]

    def _spams(self, market: str, day: date) -> list[Spam]:
        zone = MARKETS[market].tz
        return [
            s
            for plan in self._plans(day)
            for s in plan.spams
            if s.market == market and 0 <= (day - local_day(s.starts_at, zone)).days <= 3
        ]

    def _burst(self, injection: Injection) -> list[RawPost]:
        if injection.id not in self._bursts:
            self._bursts[injection.id] = self._burst_posts(injection)
        return self._bursts[injection.id]

    def _burst_posts(self, injection: Injection) -> list[RawPost]:
        """The posts of a craze in a market: distinct persons, a rise and a fall, each person once or twice."""
        rng = np.random.default_rng([self.seed, 4, injection.id])
        crowd = people(self.seed)[injection.market]
        chosen = rng.choice(len(crowd), injection.size, replace=False)
        posts: list[RawPost] = []
        for n, index in enumerate(chosen):
            person = crowd[int(index)]
            first = 0.0 if n == 0 else float(rng.beta(1.6, 2.6))
            times = [first] + ([min(first + 0.2, 1.0)] if rng.random() < 0.3 else [])
            for k, share in enumerate(times):
                language = _language(rng, person)
                at = injection.starts_at + timedelta(days=injection.days * share)
                if n:
                    at = _awake(rng, injection.market, at, injection)
                body = texts.event_body(rng, language, injection.names[language], injection.place)
                if rng.random() < 0.5:
                    body = f"{body} {texts.sentence(rng, language, injection.topic, injection.place)[0]}"
                tags = [injection.hashtag] if rng.random() < 0.9 else []
                if rng.random() < 0.5:
                    tags.append(texts.pick(rng, texts.bank(language).topics[injection.topic][1]))
                text = texts.caption(rng, language, body, tags)
                posts.append(self._post(rng, person, language, text, f"E{injection.id}-{n}-{k}", at))
        return posts

    def _spam_posts(self, spam: Spam) -> list[RawPost]:
        rng = np.random.default_rng([self.seed, 5, spam.id])
        person = people(self.seed)[spam.market][spam.person]
        language = person.languages[0]
        place = texts.places_in(person.places[0])[0]
        return [
            self._post(
                rng, person, language,
                texts.caption(rng, language, texts.event_body(rng, language, spam.name, place), [spam.hashtag]),
                f"S{spam.id}-{n}", spam.starts_at + timedelta(hours=spam.hours * float(share)),
            )
            for n, share in enumerate(np.sort(rng.random(spam.posts)))
        ]  # fmt: skip

    def _is_out(self, post: RawPost) -> bool:
        """Whether the post's platform brought nothing in its market then: six outages in the first stretch."""
        spans = _outages(self.seed, self.starts_at, self.days).get((post.platform, post.author.audience_market), ())
        return any(start <= post.published_at < end for start, end in spans)

    # ---- the truth ----

    def truth(self, until: datetime) -> dict[str, Any]:
        """What was injected before `until`, with the posts that came of it."""
        plan = first_plan(self.seed, self.starts_at, self.days)

        def ids(posts: list[RawPost]) -> list[list[str]]:
            return [[p.platform, p.native_id] for p in posts if p.published_at <= until and not self._is_out(p)]

        injections = [
            {
                "id": i.id, "event": i.event, "market": i.market, "origin": i.origin, "lag_hours": i.lag_hours,
                "topic": i.topic, "place": i.place, "names": i.names, "hashtag": i.hashtag, "size": i.size,
                "starts_at": i.starts_at.isoformat(), "ends_at": (i.starts_at + timedelta(days=i.days)).isoformat(),
                "post_ids": ids(self._burst(i)),
            }
            for i in plan.injections
        ]  # fmt: skip
        spam = [
            {
                "id": s.id, "market": s.market, "name": s.name, "hashtag": s.hashtag,
                "starts_at": s.starts_at.isoformat(), "post_ids": ids(self._spam_posts(s)),
            }
            for s in plan.spams
        ]  # fmt: skip
        lags = [{"from": a, "to": b, "median_hours": h} for (a, b), h in LAGS.items()]
        span = {"starts_at": self.starts_at.isoformat(), "days": self.days}
        found = {"lags": lags, "injections": injections, "spam": spam, "briefs": briefs_truth(self.seed)}
        return {"simulated": True, "seed": self.seed, **span, **found}

    def write_truth(self, path: Path, until: datetime) -> None:
        """Write the truth as JSON, whole or not at all."""
        aside = path.with_suffix(".tmp")
        aside.write_text(json.dumps(self.truth(until), ensure_ascii=False), encoding="utf-8")
        os.replace(aside, path)


@lru_cache(maxsize=256)
def _holidays(market: str, year: int) -> frozenset[date]:
    import holidays  # takes a fifth of a second: only where there is a world

    return frozenset(holidays.country_holidays(market, years=year))


@lru_cache(maxsize=8)
def _outages(seed: int, starts_at: datetime, days: int) -> dict[tuple[str, str], list[tuple[datetime, datetime]]]:
    """From when to when which (platform, market) brings nothing."""
    from radar.sources.world.people import PLATFORMS

    rng = np.random.default_rng([seed, 6])
    spans: dict[tuple[str, str], list[tuple[datetime, datetime]]] = {}
    for _ in range(6):
        start = starts_at + timedelta(days=float(rng.uniform(5, max(days - 3, 6))))
        length = timedelta(hours=float(rng.uniform(3, 10)))
        where = str(rng.choice(PLATFORMS)), str(rng.choice(list(MARKETS)))
        spans.setdefault(where, []).append((start, start + length))
    return spans


def _language(rng: np.random.Generator, person: Person) -> str:
    """The language a person posts in this time: mostly the market's first."""
    return person.languages[0] if rng.random() < 0.8 else texts.pick(rng, person.languages)


def _moment(rng: np.random.Generator, market: str, day: date) -> datetime:
    """A time of a local day, more likely in the evening."""
    seconds = texts.drawn(rng, _HOURS) * 3600 + int(rng.integers(3600))
    return day_start(day, MARKETS[market].tz) + timedelta(seconds=seconds)


def _awake(rng: np.random.Generator, market: str, at: datetime, injection: Injection) -> datetime:
    """The same local day at an hour when people post, not before the craze began."""
    moved = _moment(rng, market, local_day(at, MARKETS[market].tz))
    return moved if moved > injection.starts_at else at
