"""radar bench topics says the card's own figures, beside plainer peers."""

from pathlib import Path

import pytest

from radar.bench import topics
from radar.registry import TopicScorer, evaluate


@pytest.mark.long
def test_the_model_is_measured_beside_plainer_ones(
    scorer: TopicScorer, fitted_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RADAR_DATA_DIR", str(fitted_dir))
    told = topics.measure(lambda *_: None)
    assert told["model"] == scorer.model_id
    assert told["macro_f1_ja"] == evaluate(scorer).by_language["ja"].macro_f1
    ours, signs, keywords, majority = (
        float(str(told[name]))
        for name in ("macro_f1", "peer_signs_macro_f1", "peer_keywords_macro_f1", "peer_majority_macro_f1")
    )
    assert ours > 0.8
    assert ours > signs + 0.1
    assert ours > keywords + 0.1
    assert majority < 0.1
