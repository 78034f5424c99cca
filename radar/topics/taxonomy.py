"""Topics: what a post can be about, and the words that point to one."""

import tomllib
from dataclasses import dataclass

from radar.errors import UnknownName


@dataclass(frozen=True, slots=True)
class Topic:
    """A leaf of the taxonomy: what a post is about.

    names  display names by language
    """

    id: str
    definition: str
    names: dict[str, str]

    @property
    def group(self) -> str:
        """travel or shop."""
        return self.id.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """The topics in their stable order."""

    version: str
    topics: tuple[Topic, ...]

    @property
    def ids(self) -> list[str]:
        return [topic.id for topic in self.topics]

    def __getitem__(self, topic_id: str) -> Topic:
        """The topic of that id. Raises UnknownName."""
        for topic in self.topics:
            if topic.id == topic_id:
                return topic
        raise UnknownName("topic", topic_id, self.ids)


def parse_taxonomy(text: str) -> Taxonomy:
    """Read topics.toml: version, then one [[topic]] with id, definition and names each."""
    data = tomllib.loads(text)
    return Taxonomy(data["version"], tuple(Topic(t["id"], t["definition"], dict(t["names"])) for t in data["topic"]))


def parse_seeds(text: str) -> dict[str, list[str]]:
    """Read seeds.toml: topic id -> terms, those of all its languages together."""
    return {topic: sorted({t for terms in by.values() for t in terms}) for topic, by in tomllib.loads(text).items()}


def group_ids(taxonomy: Taxonomy, group: str) -> list[str]:
    """Topic ids of "travel" or "shop"."""
    return [topic.id for topic in taxonomy.topics if topic.group == group]
