"""A radar of what key opinion leaders in one market start to say about another, with the evidence."""

__version__ = "0.1.0"
