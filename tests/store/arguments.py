"""What functions of radar.store are called with when all of them are: see tests.store.walking."""

from datetime import timedelta
from typing import Any

from radar.store import integrity, listed_posts, source_days, tables
from radar.store.author_facts import AccountRow
from radar.store.counts import DirtyDay
from radar.store.rights import Listed, Naming
from radar.store.search import Place, Query
from radar.store.tracked import Swept
from radar.store.work import Piece
from tests.store.walking import DAY, NOW, counts, row


def without(cells: dict[str, Any], name: str) -> dict[str, Any]:
    """A row without a column."""
    return {key: value for key, value in cells.items() if key != name}


def columns(cells: dict[str, Any]) -> dict[str, list[Any]]:
    """A row as columns."""
    return {key: [value] for key, value in cells.items()}


_PERSON = row("author", id=3, native_id="3", person_id=None)
GIVEN: dict[str, Any] = {
    "counts.compact_days.before": DAY + timedelta(days=7),
    "market": "TW",
    "platform": "test",
    "model_id": "m",
    "source": "test",
    "sources": ["test"],
    "bucket": "1h",
    "handle": "ann",
    "markets": ["TW"],
    "kind": 1,
    "topic": "shop.drugstore",
    "place": "JP",
    "language": "en",
    "audience_market": "TW",
    "tier": "micro",
    "outcome": "running",
    "text": "ann",
    "sort": "growth",
    "Query.after": None,
    "adoptions.collected.ids": [1],
    "adoptions.take_back.which": tables.episode.c.id == 0,
    "state": "pending",
    "trends.save_state.state": b"1",
    "engagement_percentile": 0.5,
    "by_hour": (1,),
    "by_weekday": (1,),
    "counts.replace_days.rows": [],
    "counts.put_days.rows": [(DAY, counts(), 1)],
    "source_days.put.days": {
        DAY: source_days.Given(
            [source_days.SourceDay(DAY, "test", 1, 1, 1, 0, NOW, NOW, NOW)], [source_days.LanguageDay(DAY, "en", 1)]
        )
    },
    "counts.add_keys.rows": [row("key")],
    "alert_rules.add_rule.row": without(row("alert_rule", id=2, name="2"), "revision"),
    "alert_rules.add_target.row": row("alert_target", id=2),
    "alerts.add_event.row": row("alert_event", id=2, stage="2"),
    "alerts.add_deliveries.rows": [row("alert_delivery", id="2")],
    "alert_rules.change_rule.**": {"name": "2"},
    "alerts.settle.**": {"state": "sent"},
    "hubs.note_subscription.**": {"hub": "2"},
    "runs.end_run.**": {"outcome": "ok"},
    "watching.note_account.**": {"cursor": None},
    "listed_posts.post_places.after": listed_posts.Place(DAY, 2),
    "hubs.put_subscription.row": row("hub_subscription"),
    "api_keys.add_key.digest": "2",
    "members.add_session.digest": "2",
    "members.add_member.name": "2",
    "pushed.note_pushed.key": "2",
    "curation.add.values": row("curation", id=2),
    "rights.erase_author.who": Listed(2, "test", "2", 2, "ann", None, None, "TW"),
    "rights.forget_mentions.found": [],
    "rights.correct.values": {"handle": "ann"},
    "diffusion.write_leads.rows": [without(row("market_lead"), "model_id")],
    "integrity.orphan_page.link": integrity.Link("post_topic", "post_id", "post"),
    "integrity.orphan_page.after": (1, "1"),
    "measures.write_measures.names": {1: AccountRow(1, "test", "TW", 1, "ann", "ann", None, None)},
    "partners.write_profiles.rows": [row("author_profile")],
    "partners.candidates.facets": [[1]],
    "posts.add_authors.rows": [_PERSON],
    "posts.add_authors.person_names": [None],
    "posts.link_authors.person_of": {1: "ann"},
    "posts.move_authors.market_of": {1: "JP"},
    "posts.change_authors.rows": [{"author_id": 1, "handle": "ann"}],
    "posts.see_followers.rows": [row("follower_observation")],
    "posts.set_first_posts.rows": [{"author_id": 1, "first_post_at": NOW}],
    "posts.add_posts.columns": {name: [value] for name, value in row("post", native_id="2").items() if name != "id"},
    "posts.change_posts.rows": [{"post_id": 1, "text": "2"}],
    "posts.add_engagement.seen": [(1, 1, None, None, None)],
    "posts.mark_dirty.days": [("TW", DAY)],
    "posts.write_readings.signals": columns(without(row("post_signal"), "model_id")),
    "posts.write_signals.signals": columns(row("post_signal")),
    "posts.add_readings.signals": columns(row("post_signal")),
    "posts.add_readings.topics": columns(row("post_topic")),
    "AuthorMeasures.signals": {},
    "AuthorMeasures.topics": (),
    "AuthorMeasures.places": (),
    "topics": ["shop.drugstore"],
    "posts.write_readings.topics": columns(without(row("post_topic"), "model_id")),
    "posts.write_signals.topics": columns(row("post_topic")),
    "posts.write_readings.revisions": [1],
    "promotion.write_aside.rows": [row("aside_signal")],
    "runs.keep_rejected.rows": [row("rejected_post", id=2, reason="2")],
    "tracked.put.values": without(row("tracked_key"), "revision"),
    "tracked.put_mentions.rows": {DAY: [row("tracked_mention")]},
    "tracked.mentioned.markets": {"TW": (DAY, DAY)},
    "trends.write_episodes.rows": [row("episode")],
    "trends.write_changes.rows": [row("stage_change")],
    "trends.write_snapshots.rows": [row("snapshot")],
    "trends.mark_detected.seen": {DAY: NOW},
    "work.put_out.kind": "1",
    "work.put_out.pieces": {"TW": {}},
    "work.claim.kinds": ["1"],
    "work.drop.piece": Piece(1, "1", "TW", {}),
    "work.is_left.kind": "1",
    "work.left.kind": "1",
    "work.is_there.piece": Piece(1, "1", "TW", {}),
    "watching.watch.rows": [row("watched_account")],
    "watching.plan_refreshes.rows": [row("refresh_due")],
    "watching.replan.rows": [row("refresh_due"), row("refresh_due", due_at=None)],
}
LATER = NOW + timedelta(days=1)
_FOUND_BY: dict[str, Any] = {
    "words": ("an",),
    "topic": "shop.drugstore",
    "place": "JP",
    "list_id": 1,
    "platforms": ("test",),
    "tiers": ("micro",),
    "least": 0.1,
    "most": 0.9,
    "sponsored": True,
}
_QUESTIONS = [
    Query("TW"),
    Query("TW", ascending=True),
    *(Query("TW", sort=name) for name in tables.SORTS),
    Query(),
    Query("TW", sponsored=False),
    *(Query("TW", **{name: value}) for name, value in _FOUND_BY.items()),
    Query("TW", **_FOUND_BY),
    Query("TW", topic="shop.drugstore", place="JP"),
    Query("TW", after=Place(0.5, 1)),
    Query("TW", after=Place(None, 1)),
    Query("TW", words=("an",), list_id=1),
]
CALLS: dict[str, list[dict[str, Any]]] = {
    "search.find_authors": [{"query": query, "limit": 10} for query in _QUESTIONS],
    "counts.replace_days": [{"rows": [(DirtyDay("TW", DAY - timedelta(days=1), 1), counts(), 1)]}],
    "rights.erase_author": [{"who": Listed(2, "test", "2", 2, "bob", None, None, "TW")}],
    "rights.forget_mentions": [{"found": [Naming(tables.post, "text", 1, "ramen with @ann in Osaka")]}],
    "pruning.forget_texts": [{"before": DAY + timedelta(days=1), "fetched_before": LATER}],
    "measures.settle_due": [{"seen": {1: 1}, "next_at": {}}],
    "tracked.readings_between": [{"after": 0}],
    "runs.settle_source": [{"name": "test"}],
    "tracked.put": [{"values": without(row("tracked_key", key_hash=2, id=2), "revision")}],
    "tracked.rewrite_keys": [{"changes": [(Swept(1, "TW", DAY, "", b"", model), b"2")]} for model in (None, "m")],
}
