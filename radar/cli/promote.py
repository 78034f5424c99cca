"""radar promote: make another fitted model the one that posts are read by."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from radar.cli.app import console, open_engine, told
from radar.errors import CallerError, RadarError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from radar.config import Settings


def promote(
    model: Annotated[str, typer.Argument(help="Id of a fitted model; that of the present labels if left out.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Promote although the gate does not pass.")] = False,
    back: Annotated[bool, typer.Option("--back", help="Go back to the model before, whatever the gate says.")] = False,
) -> None:
    """Make another fitted model the one that posts are read by, if it passes the gate; no trend by that.

    It reads, counts and detects the last 60 days aside, and is swapped in at once. The gate: on the frozen posts its
    macro F1 and its share of off-topic posts given a topic are no worse than the active model's. To go back:
    radar promote --back. Safe to stop and run again.
    """
    from radar.collect import closed_at
    from radar.promotion import promote as swap_in
    from radar.registry import load_taxonomy, open_scorer
    from radar.scheduling import Context

    found, engine = open_engine()
    folder = _folder(found, engine, model, back)
    now = datetime.now(UTC)
    with told() as report:
        active = Context(engine, found, now, report).model_folder
        if active == folder:
            console.print(f"{folder.name} is active already.")
            return
        if not back:
            report("figures on the frozen posts", 0, None)
            _check(active, folder, force)
        scorer = open_scorer(folder)
        swap_in(
            engine, folder, lambda: scorer, load_taxonomy().ids, now=now, closed_at=closed_at(engine, now),
            progress=lambda what, done: report(f"{what} by {folder.name}", done, None),
        )  # fmt: skip
    console.print(f"{folder.name} is active, {active.name} was before. To go back: radar promote --back")


def _folder(found: "Settings", engine: "sa.Engine", model: str, back: bool) -> Path:
    """The fitted model that is meant. Raises CallerError."""
    from radar.store.engine import reading
    from radar.store.promotion import previous_model
    from radar.training import fit_training, training

    if back and model:
        raise CallerError("--back names a model by itself.", "Leave the other one out.")
    if not back and not model:
        return fit_training(found, training(found))
    with reading(engine) as session:
        wanted = previous_model(session) if back else model
    if wanted is None:
        raise CallerError("There is no model to go back to: none was promoted here.", "See: radar models.")
    kept = found.models_dir / "topics"
    folder = kept / wanted
    if not (folder / "manifest.json").is_file() or folder.parent != kept:
        ids = sorted(path.parent.name for path in kept.glob("topics-*/manifest.json"))
        raise CallerError(f"There is no model '{wanted}' in {kept}.", f"Kept: {', '.join(ids) or 'none'}.")
    return folder


def _check(active: Path, candidate: Path, force: bool) -> None:
    """Raises RadarError where the candidate is worse on the frozen posts, unless forced."""
    from radar.gate import compare

    gate = compare(active, candidate)
    if not gate.passes and not force:
        raise RadarError(f"The gate does not pass: {gate.said}.", "Mend the labels and train again, or say --force.")
    console.print(f"On {gate.new.posts:,} frozen, synthetic posts: {gate.said}.")
