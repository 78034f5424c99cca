"""Fit a candidate for the topic model where labels are new; a person promotes it, never a job."""

from radar.gate import compare
from radar.scheduling import Context, Job, Outcome
from radar.training import fit_training, training


def run(ctx: Context) -> Outcome:
    """Safe to run twice: a model that is kept already is not fitted again. Weak labels do not join."""
    active, asked = ctx.model_folder, training(ctx.settings)
    kept = ctx.settings.models_dir / "topics" / asked.id
    if (kept / "manifest.json").exists():
        is_active = "active" if kept == active else "a candidate"
        return Outcome(f"nothing new to train on: {asked.id} is kept already, {is_active}")
    ctx.progress("fitting the topic model", 0, None)
    gate = compare(active, fit_training(ctx.settings, asked, apart=True))
    verdict = f"passes the gate: radar promote {asked.id}" if gate.passes else "does not pass the gate"
    own = f"{asked.own:,} own label{'' if asked.own == 1 else 's'}"
    return Outcome(
        f"candidate {asked.id} ({own}) {verdict}. On {gate.new.posts:,} frozen posts: {gate.said}",
        len(asked.labels.texts),
        1,
    )


JOB = Job("retrain_models", cron="10 5 * * mon", run=run)
