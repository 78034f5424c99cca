"""The route of the audit log, and what OpenAPI says of keys, limits and refusals on every route."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from radar.answers.written import written
from radar.api import access_shapes
from radar.api.lists import ListRoute
from radar.api.routes import problems_of
from radar.api.rules import scope_needed
from radar.web.requests import SessionDep, only_known_parameters

router = APIRouter(
    prefix="/v1", route_class=ListRoute, dependencies=[Depends(only_known_parameters)], tags=["operation"]
)
_SAID = {
    401: "No key, or one that does not hold",
    403: "The key's scope is too narrow, or a page of another site wrote",
    429: "Too many requests; Retry-After says how long to wait",
}


@router.get("/audit", response_model=access_shapes.AuditPage, responses=problems_of(400))
def list_audit(
    session: SessionDep,
    limit: Annotated[int, Query(ge=1, le=100, description="Entries a page.", examples=[50])] = 50,
    cursor: Annotated[str | None, Query(description="`next` of the page before.", examples=["WzEyMF0"])] = None,
) -> Any:
    """Who wrote what, when, and what came of it, the newest first; kept for `RADAR_AUDIT_DAYS`. Needs `admin`."""
    return written(session, limit=limit, cursor=cursor or None)


@router.get("/settings", response_model=access_shapes.SettingList, responses=problems_of(400))
def list_settings(request: Request) -> Any:
    """Every setting as it was read at start, without secrets. Needs `admin`."""
    return {"items": request.app.state.settings.told(), "next": None}


def put_in(document: dict[str, Any]) -> None:
    """Say of every operation what it needs, and how it refuses."""
    document.setdefault("components", {})["securitySchemes"] = {
        "key": {
            "type": "http", "scheme": "bearer",
            "description": "A key of scope read, write or admin: `radar keys create`. Not needed on its machine.",
        }
    }  # fmt: skip
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            needed = scope_needed(method.upper(), path)
            if needed is None:
                operation["security"] = []
                continue
            operation["security"] = [{"key": [needed]}, {}]
            for status, said in _SAID.items():
                content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
                operation["responses"].setdefault(str(status), {"description": said, "content": content})
