"""Partners as pandas frames, for notebooks."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from radar.answers.partners import Asked, partners
from radar.answers.scorer import active_scorer
from radar.config import Settings
from radar.partners.brief import Brief
from radar.partners.scoring import FLOOR, UNKNOWN
from radar.store import partners as store
from radar.store.engine import reading


def partner_answer(
    engine: sa.Engine, settings: Settings, brief: Brief, *, now: datetime, **more: Any
) -> dict[str, Any]:
    """The answer to a brief, as of the API; more  weights, diversity, limit."""
    with reading(engine) as session:
        return partners(
            session, Asked(brief, **more), now=now, scorer=lambda: active_scorer(session, settings), settings=settings
        )


def shortlist(answer: Mapping[str, Any]) -> pd.DataFrame:
    """One row a KOL, best first: score, parts, price, why and what to mind."""
    rows = []
    for item in answer["items"]:
        author, price = item["author"], item["price"]
        row = {
            "rank": item["rank"], "kol": author["name"] or author["handle"] or author["id"], "id": author["id"],
            "platform": author["platform"], "followers": author["follower_count"], "score": item["score"],
        }  # fmt: skip
        row |= {part["name"]: part["value"] for part in item["parts"]}
        row |= {"price": price["sentence"] if price else None, "why": " ".join(item["why"])}
        rows.append(row | {"mind": " ".join(item["mind"])})
    return pd.DataFrame(rows)


def parts_long(answer: Mapping[str, Any]) -> pd.DataFrame:
    """One row a KOL and part: value (null: not known), weight, factor."""
    return pd.DataFrame(
        [
            {"rank": item["rank"], "kol": item["author"]["name"] or item["author"]["id"], "part": part["name"]}
            | {name: part[name] for name in ("value", "weight", "factor")}
            for item in answer["items"]
            for part in item["parts"]
        ]
    )


def sensitivity(answer: Mapping[str, Any], *, spread: float, draws: int, seed: int, top: int = 5) -> pd.DataFrame:
    """How the order of a list moves when its weights do: one row a KOL.

    Each weight is multiplied by exp(normal(0, spread)), all anew in each draw; scores are worked out from the parts.
    top_share  share of draws in which the KOL is among the first `top`;  low, high  5 % and 95 % of its ranks
    """
    told = parts_long(answer)
    parts = told.pivot(index="rank", columns="part", values="value").astype(float)  # two KOLs may share a name
    weights = np.array([answer["weights"][name] for name in parts.columns], float)
    logs = np.log(parts.fillna(UNKNOWN).clip(lower=FLOOR).to_numpy())
    rng = np.random.default_rng(seed)
    drawn = weights * np.exp(rng.normal(0, spread, (draws, len(weights))))
    scores = logs @ (drawn / drawn.sum(1, keepdims=True)).T
    ranks = (-scores).argsort(0).argsort(0) + 1
    usual = (-(logs @ (weights / weights.sum()))).argsort().argsort() + 1
    found = {
        "kol": told.groupby("rank")["kol"].first().to_numpy(), "rank": usual, "top_share": (ranks <= top).mean(1),
        "low": np.quantile(ranks, 0.05, axis=1), "high": np.quantile(ranks, 0.95, axis=1),
    }  # fmt: skip
    return pd.DataFrame(found).sort_values("rank", ignore_index=True)


def early_scores(engine: sa.Engine, market: str | None = None) -> pd.DataFrame:
    """One row a KOL with an early-adopter score: score, its interval, its null, p and trends."""
    with reading(engine) as session:
        rows = [
            {
                "kol": row.name or row.handle or str(row.author_id), "market": row.market, "score": row.early,
                "low": row.early_low, "high": row.early_high, "null": row.early_null, "p": row.early_p,
                "trends": row.early_count,
            }
            for page in store.measured(session, market)
            for row in page
            if row.early is not None
        ]  # fmt: skip
    return pd.DataFrame(rows, columns=["kol", "market", "score", "low", "high", "null", "p", "trends"])
