"""radar mcp: the radar for agents, over standard input and output."""

from typing import TYPE_CHECKING

from radar.cli.app import log_to_terminal, open_engine

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from radar.registry import TopicScorer


def mcp() -> None:
    """Serve an MCP client (an agent) over standard input and output, until it hangs up. Reads only.

    A client starts this itself: name the command `radar mcp` in its configuration. Its tools are trends, trend,
    arrivals, partners and coverage. `radar serve` offers the same over HTTP at /mcp.
    """
    from radar.answers.scorer import active_scorer
    from radar.mcp import create_server

    settings, engine = open_engine()
    log_to_terminal(settings)
    opened: list[TopicScorer] = []

    def scorer(session: "Session") -> "TopicScorer":
        opened[:] = [active_scorer(session, settings, opened[0] if opened else None)]
        return opened[0]

    create_server(engine, settings, scorer).run("stdio")
