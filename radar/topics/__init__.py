"""Topics, their taxonomy, and the text classifier that scores posts on them."""

from typing import TYPE_CHECKING, Any

from radar.topics.taxonomy import Taxonomy, Topic, group_ids, parse_seeds, parse_taxonomy

if TYPE_CHECKING:
    from radar.topics.pipeline import TopicPipeline, build_pipeline

__all__ = ["Taxonomy", "Topic", "TopicPipeline", "build_pipeline", "group_ids", "parse_seeds", "parse_taxonomy"]


def __getattr__(name: str) -> Any:
    """The unfitted pipeline, when it is asked for: whoever only reads posts does not wait for scikit-learn."""
    if name in ("TopicPipeline", "build_pipeline"):
        from radar.topics import pipeline

        return getattr(pipeline, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
