"""Sources from whose posts nothing may be derived yet: their platform's terms were not accepted."""

from sqlalchemy.orm import Session

from radar.sources.facts import derives
from radar.store import runs


def held_sources(session: Session) -> list[str]:
    """Names of sources whose posts are stored and shown, never read, counted or measured."""
    return [state.name for state in runs.source_states(session) if not derives(state.kind, state.config)]
