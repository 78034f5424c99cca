"""radar promote: make another fitted model the one that posts are read by."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from radar.cli.app import console, open_engine, told
from radar.errors import CallerError, RadarError

SLACK = 0.005
"""By how much the figures on the frozen posts may be worse and the gate still passes: their own noise."""


def promote(
    model: Annotated[str, typer.Argument(help="Id of a fitted model; the shipped one unless given.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Promote although the gate does not pass.")] = False,
) -> None:
    """Make another fitted model the one that posts are read by, if it passes the gate; no trend by that.

    It reads, counts and detects the last 60 days aside, and is swapped in at once. The gate: on the frozen posts its
    macro F1 and its share of off-topic posts given a topic are no worse than the active model's. To go back, promote
    the model before; its id is printed. Safe to stop and run again.
    """
    from radar.collect import closed_at
    from radar.promotion import promote as swap_in
    from radar.registry import fitted_folder, load_taxonomy, open_scorer
    from radar.scheduling import Context

    found, engine = open_engine()
    kept = found.models_dir / "topics"
    folder = kept / model if model else fitted_folder(found)
    if not (folder / "manifest.json").is_file() or folder.parent != kept:
        ids = sorted(path.parent.name for path in kept.glob("topics-*/manifest.json"))
        raise CallerError(f"There is no model '{model}' in {kept}.", f"Kept: {', '.join(ids) or 'none'}.")
    now = datetime.now(UTC)
    with told() as report:
        active = Context(engine, found, now, report).model_folder
        if active == folder:
            console.print(f"{folder.name} is active already.")
            return
        report("figures on the frozen posts", 0, None)
        _gate(active, folder, force)
        scorer = open_scorer(folder)
        before = swap_in(
            engine, folder, lambda: scorer, load_taxonomy().ids, now=now, closed_at=closed_at(engine, now),
            progress=lambda what, done: report(f"{what} by {folder.name}", done, None),
        )  # fmt: skip
    console.print(f"{folder.name} is active. To go back: radar promote {before}")


def _gate(active: Path, candidate: Path, force: bool) -> None:
    """Compare two models on the frozen posts. Raises RadarError where the candidate is worse, unless forced."""
    from radar.registry import evaluate, open_scorer

    old, new = (evaluate(open_scorer(folder)).overall for folder in (active, candidate))
    said = (
        f"macro F1 {new.macro_f1} (active {old.macro_f1}), off-topic posts given a topic {new.off_topic_given}"
        f" (active {old.off_topic_given})"
    )
    passes = new.macro_f1 >= old.macro_f1 - SLACK and new.off_topic_given <= old.off_topic_given + SLACK
    if not passes and not force:
        raise RadarError(f"The gate does not pass: {said}.", "Mend the labels and train again, or say --force.")
    console.print(f"On {new.posts:,} frozen, synthetic posts: {said}.")
