"""The problems that routes declare."""

from typing import Any


def declared_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Responses that every route declares: the problem shape, by status."""
    said = {400: "A bad request", 404: "Unknown name", 409: "A simulated store", 413: "Too large"}
    said |= {422: "A brief that cannot be ranked", 500: "A failure", 503: "The store does not answer"}
    shape = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": said[status], "content": shape} for status in (*statuses, 500, 503)}
