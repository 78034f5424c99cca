"""radar train: fit the topic model from models/topics."""

import json
from typing import Annotated

import typer

from radar.cli.app import console, settings, told, use_folder


def train(
    card: Annotated[bool, typer.Option("--card", help="Print the model card: figures on posts kept apart.")] = False,
) -> None:
    """Fit the topic model from labels, topics and recipe; does nothing where this very model is kept already."""
    from radar.registry import fit, model_card, model_folder

    found = settings()
    folder = model_folder(found)
    if not (folder / "manifest.json").exists():
        use_folder(found.data_dir)
        with told() as report:
            report("fitting the topic model", 0, None)
            fit(folder)
    if card:
        typer.echo(model_card(folder), nl=False)
        return
    manifest = json.loads((folder / "manifest.json").read_text())
    console.print(f"{manifest['id']}: {manifest['posts']} labelled posts, {manifest['metrics']}")
    console.print(f"kept in {folder}")
