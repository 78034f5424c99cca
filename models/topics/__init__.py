"""The topic model."""
