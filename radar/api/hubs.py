"""Where WebSub hubs call: to ask whether we meant it, and with what is new in a feed."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Request
from fastapi.responses import PlainTextResponse, Response

from radar.api.signing import raw_body
from radar.errors import UnknownName
from radar.hubs import confirm, hub_key, receive

router = APIRouter(prefix="/v1", include_in_schema=False)

IdPath = Annotated[str, Path(description="The subscription's id, which only its hub knows.", examples=["mXq3"])]


@router.get("/hubs/{id}", response_class=PlainTextResponse)
def confirm_subscription(request: Request, id: IdPath) -> Response:
    """Answer a hub that asks back with its challenge (WebSub, 5.3); 404 for what we did not ask for."""
    challenge = confirm(request.app.state.engine, id, request.query_params, datetime.now(UTC))
    if challenge is None:
        raise UnknownName("subscription", id[:20], [])
    return PlainTextResponse(challenge, headers={"Content-Type": "text/plain; charset=utf-8"})


@router.post("/hubs/{id}", status_code=202, response_class=Response)
def receive_feed(
    request: Request,
    id: IdPath,
    raw: Annotated[bytes, Depends(raw_body)],
    content_type: Annotated[str, Header()] = "",
    x_hub_signature: Annotated[str, Header(description="`sha256=` and the HMAC of the body.")] = "",
) -> Response:
    """Take the feed that a hub posts (WebSub, 7). What is signed wrongly is passed over, with the same answer."""
    state = request.app.state
    taken = receive(
        state.engine, id, raw, content_type=content_type, signature=x_hub_signature,
        key=hub_key(state.settings.data_dir), now=datetime.now(UTC),
    )  # fmt: skip
    if taken is None:
        raise UnknownName("subscription", id[:20], [])
    return Response(status_code=202)
