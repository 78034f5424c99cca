"""The topic model as pandas frames, for notebooks: what it says of posts, where it errs, and what a threshold costs.

A frame of decisions has a row for each post and topic: post, language, text, topic, truth, p, threshold, on.
"""

import atexit
import shutil
import sqlite3
import tempfile
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import sqlalchemy as sa

from radar.config import Settings
from radar.errors import CallerError
from radar.gate import kept_models
from radar.registry import TopicScorer, load_frozen, load_taxonomy
from radar.store import labelling, posts
from radar.store.engine import reading
from radar.store.promotion import active_model
from radar.topics.calibration import Labels


def practice(settings: Settings) -> Settings:
    """Settings of a copy of store, models and labels in a temporary folder, gone with this process: try anything.

    Raises CallerError for a store that is no SQLite file.
    """
    if settings.database_url:
        raise CallerError("Only a SQLite store in the data folder is copied.", "Work on the store itself, or a backup.")
    folder = Path(tempfile.mkdtemp(prefix="radar-practice-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    source, copy = (sqlite3.connect(path / "radar.db") for path in (settings.data_dir, folder))
    with closing(source), closing(copy):
        source.backup(copy)
    for name in ("models", "labels"):
        if (settings.data_dir / name).is_dir():
            shutil.copytree(settings.data_dir / name, folder / name)
    return settings.model_copy(update={"data_dir": folder})


def models(engine: sa.Engine, settings: Settings) -> pd.DataFrame:
    """One row a fitted model: its labels, its figures on the frozen posts, whether it is active and passes the gate."""
    with reading(engine) as session:
        active = active_model(session)
    return pd.DataFrame(
        [
            {
                "model": model.id,
                "active": model.is_active,
                "passes_gate": model.passes,
                "posts": model.manifest.get("posts"),
                "macro_f1": model.frozen and model.frozen.macro_f1,
                "off_topic_given": model.frozen and model.frozen.off_topic_given,
                "calibration_error": model.frozen and model.frozen.calibration_error,
            }
            for model in kept_models(settings, active)
        ]
    )


def recent_posts(engine: sa.Engine, scorer: TopicScorer, *, days: int = 7, limit: int = 500) -> pd.DataFrame:
    """The newest posts of each language with what a model says of them, a row each.

    topics  those it gives      best, p  the most probable one
    """
    with reading(engine) as session:
        newest = posts.latest_time(session)
        if newest is None:
            return pd.DataFrame()
        since = newest - timedelta(days=days)
        found = [
            item
            for language in labelling.languages(session, since)
            for item in labelling.posts_to_label(session, since, language, limit)
        ]
    p, ids = scorer.score([item.text for item in found]), np.array(scorer.topic_ids)
    frame = pd.DataFrame(found)
    best = p.argmax(1)
    return frame.assign(
        topics=[" ".join(ids[row]) for row in p >= scorer.thresholds], best=ids[best], p=p[np.arange(len(p)), best]
    )


def decisions(scorer: TopicScorer, labels: Labels | None = None) -> pd.DataFrame:
    """A model's decisions on labelled posts; on the frozen ones unless others are given."""
    known = labels or load_frozen(load_taxonomy())
    p = scorer.score(known.texts)
    n, topics = p.shape
    return pd.DataFrame(
        {
            "post": np.repeat(np.arange(n), topics),
            "language": np.repeat(known.languages, topics),
            "text": np.repeat(np.array(known.texts, object), topics),
            "topic": np.tile(scorer.topic_ids, n),
            "truth": known.topics.ravel() == 1,
            "p": p.ravel(),
            "threshold": np.tile(scorer.thresholds, n),
            "on": (p >= scorer.thresholds).ravel(),
        }
    )


def scores(decided: pd.DataFrame, by: str) -> pd.DataFrame:
    """Precision, recall and F1 by language or topic; for a language the mean of F1 over its topics (macro F1)."""
    counts = decided.assign(right=decided["on"] & decided["truth"])
    counts = counts.groupby([by, "topic"] if by != "topic" else ["topic"])[["right", "on", "truth"]].sum()
    f1 = 2 * counts["right"] / (counts["on"] + counts["truth"]).clip(lower=1)
    held = counts["truth"] > 0
    total = counts.groupby(level=0).sum()
    return pd.DataFrame(
        {
            "f1": f1[held].groupby(level=0).mean(),
            "precision": total["right"] / total["on"].clip(lower=1),
            "recall": total["right"] / total["truth"].clip(lower=1),
            "n": total["truth"],
        }
    ).reset_index()


def errors(decided: pd.DataFrame, count: int = 10) -> pd.DataFrame:
    """Decisions that are wrong, those the model was surest of first."""
    wrong = decided[decided["on"] != decided["truth"]]
    sure = np.where(wrong["on"], wrong["p"], 1 - wrong["p"])
    return wrong.assign(sure=sure).sort_values("sure", ascending=False).head(count)


def confusion(decided: pd.DataFrame) -> pd.DataFrame:
    """Posts of a topic that was missed, by the wrong topic they were given instead ("nothing" where none)."""
    missed = decided[decided["truth"] & ~decided["on"]][["post", "topic"]]
    wrong = decided[decided["on"] & ~decided["truth"]][["post", "topic"]]
    pairs = missed.merge(wrong, on="post", how="left", suffixes=("", "_given")).fillna({"topic_given": "nothing"})
    return (
        pairs.groupby(["topic", "topic_given"])
        .size()
        .rename("posts")
        .reset_index()
        .sort_values("posts", ascending=False)
    )


def calibration(decided: pd.DataFrame, bins: int = 10) -> pd.DataFrame:
    """What was foretold and what was so, in equal bins of p: p, share, n."""
    at = np.minimum((decided["p"] * bins).astype(int), bins - 1)
    grouped = decided.groupby(at)
    return pd.DataFrame({"p": grouped["p"].mean(), "share": grouped["truth"].mean(), "n": grouped.size()}).reset_index(
        drop=True
    )


def threshold_costs(decided: pd.DataFrame, *, missed: float = 1.0, wrong: float = 1.0, steps: int = 37) -> pd.DataFrame:
    """What one threshold for all topics would cost a thousand posts, threshold by threshold.

    missed, wrong  what a topic not given, and one given wrongly, costs
    """
    posts_, rows = decided["post"].nunique(), []
    for threshold in np.linspace(0.05, 0.95, steps):
        on = decided["p"] >= threshold
        rows.append(_cost(float(threshold), decided, on, posts_, missed, wrong))
    return pd.DataFrame(rows)


def present_cost(decided: pd.DataFrame, *, missed: float = 1.0, wrong: float = 1.0) -> float:
    """What the model's own thresholds cost a thousand posts."""
    row = _cost(0.0, decided, decided["on"], decided["post"].nunique(), missed, wrong)
    return row["cost"]


def _cost(
    threshold: float, decided: pd.DataFrame, on: "pd.Series[bool]", posts_: int, missed: float, wrong: float
) -> dict[str, float]:
    lost = 1000 * int((decided["truth"] & ~on).sum()) / posts_
    false = 1000 * int((on & ~decided["truth"]).sum()) / posts_
    return {"threshold": threshold, "missed": lost, "wrong": false, "cost": missed * lost + wrong * false}
