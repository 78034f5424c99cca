"""Labelling: a sheet out, a sheet in."""
