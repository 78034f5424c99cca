"""Topics, their taxonomy, and the text classifier that scores posts on them."""

from radar.topics.pipeline import TopicPipeline, build_pipeline
from radar.topics.taxonomy import Taxonomy, Topic, group_ids, parse_seeds, parse_taxonomy

__all__ = ["Taxonomy", "Topic", "TopicPipeline", "build_pipeline", "group_ids", "parse_seeds", "parse_taxonomy"]
