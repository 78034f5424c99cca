"""A fitted model as bytes and back: arrays and JSON, nothing that runs when it is read."""

import io
import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from radar.arrivals.features import Known
from radar.arrivals.hazard import HazardLogit
from radar.arrivals.judging import Error
from radar.arrivals.model import ArrivalModel, Fitted
from radar.arrivals.pairs import PairHazards

FORM = 1


def to_bytes(model: ArrivalModel) -> bytes:
    """All that `predict` needs, and what is told of it."""
    facts: dict[str, Any] = {
        "form": FORM, "markets": model.markets, "trends": model.trends, "arrivals": model.arrivals,
        "since": model.since.isoformat() if model.since is not None else None,
        "until": model.until.isoformat() if model.until is not None else None,
        "errors": [asdict(error) for error in model.errors.values()], "coverage": model.coverage,
        "reason": model.reason,
    }  # fmt: skip
    arrays: dict[str, Any] = {}
    if (fitted := model.fitted) is not None:
        known, logit = fitted.known, fitted.logit
        facts |= {"scripts": [str(s) for s in known.scripts], "volume": known.volume}
        arrays = {
            "cumulated": known.pairs.cumulated, "openness": known.pairs.openness, "taste": known.taste,
            "clock": known.clock, "mean": logit.mean, "deviation": logit.deviation, "weights": logit.weights,
            "calibration": fitted.calibration, "base": fitted.base,
        }  # fmt: skip
    out = io.BytesIO()
    np.savez_compressed(out, facts=np.frombuffer(json.dumps(facts).encode(), np.uint8), **arrays)
    return out.getvalue()


def from_bytes(kept: bytes) -> ArrivalModel | None:
    """The model; None where another radar kept it in another form."""
    with np.load(io.BytesIO(kept), allow_pickle=False) as found:
        arrays = {name: found[name] for name in found.files}
    facts = json.loads(arrays["facts"].tobytes())
    if facts["form"] != FORM:
        return None
    model = ArrivalModel(markets=facts["markets"], trends=facts["trends"], arrivals=facts["arrivals"])
    model.since, model.until = (pd.Timestamp(facts[n]) if facts[n] else None for n in ("since", "until"))
    model.errors = {error["days"]: Error(**error) for error in facts["errors"]}
    model.coverage, model.reason = facts["coverage"], facts["reason"]
    if "weights" in arrays:
        a = arrays
        low, high = facts["volume"]
        pairs = PairHazards(a["cumulated"], a["openness"])
        known = Known(pairs, facts["scripts"], a["taste"], a["clock"], (low, high))
        logit = HazardLogit(a["mean"], a["deviation"], a["weights"])
        model.fitted = Fitted(known, logit, a["calibration"], a["base"])
    return model
