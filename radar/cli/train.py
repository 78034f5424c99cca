"""radar train: fit the topic model from models/topics."""

import json

from radar.cli.app import console, settings, told
from radar.registry import fit, model_folder


def train() -> None:
    """Fit the topic model from labels, topics and recipe; does nothing where this very model is kept already."""
    folder = model_folder(settings())
    if not (folder / "manifest.json").exists():
        with told() as report:
            report("fitting the topic model", 0, None)
            fit(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    console.print(f"{manifest['id']}: {manifest['posts']} labelled posts, {manifest['metrics']}")
    console.print(f"kept in {folder}")
