"""radar train: fit the topic model from the shipped labels and the user's own."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from radar.cli.app import console, settings, told, use_folder


def train(
    card: Annotated[bool, typer.Option("--card", help="Print the model card: figures on posts kept apart.")] = False,
    real: Annotated[
        Path | None,
        typer.Option("--real", help="Folder of real texts to measure by in the card (models/topics/real_texts.toml)."),
    ] = None,
    weak: Annotated[
        bool, typer.Option("--weak", help="Train on what seeds found in your posts as well (radar label weak).")
    ] = False,
) -> None:
    """Fit the topic model from labels, topics and recipe; does nothing where this very model is kept already.

    Labels are those that ship with radar and your own (radar label import); where both know a text, yours hold.
    """
    from radar.model_cards import model_card
    from radar.training import fit_training, training

    found = settings()
    asked = training(found, weak=weak)
    folder = found.models_dir / "topics" / asked.id
    if not (folder / "manifest.json").exists():
        use_folder(found.data_dir)
        with told() as report:
            report("fitting the topic model", 0, None)
            fit_training(found, asked)
    if card or real:
        today = datetime.now(UTC).date()
        typer.echo(model_card(folder, with_peers=True, real=real, today=today), nl=False)
        return
    manifest = json.loads((folder / "manifest.json").read_text())
    parts = ", ".join(f"{n:,} {name}" for name, n in asked.made_of.items() if n)
    console.print(f"{manifest['id']}: {manifest['posts']:,} labelled posts ({parts}), {manifest['metrics']}")
    console.print(f"kept in {folder}. To read posts by it: radar promote {manifest['id']}")
