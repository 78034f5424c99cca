"""The topic model that posts here are read by, to read a brief's text by the same."""

from sqlalchemy.orm import Session

from radar.config import Settings
from radar.errors import RadarError
from radar.registry import TopicScorer, model_id, open_scorer
from radar.store.promotion import active_model


class NoModel(RadarError):
    """A text cannot be read: there is no fitted model here."""

    status = 503
    slug = "no-model"


def active_scorer(session: Session, settings: Settings, kept: TopicScorer | None = None) -> TopicScorer:
    """The active model's scorer; the kept one where it is that. Raises NoModel where it is not fitted here."""
    active = active_model(session) or model_id()
    if kept is not None and kept.model_id == active:
        return kept
    folder = settings.models_dir / "topics" / active
    if not folder.is_dir():
        said = f"The text cannot be read: the topic model {active} is not in {folder.parent}."
        raise NoModel(said, "Run `radar train`, or leave the text out and name topics.")
    return open_scorer(folder)
