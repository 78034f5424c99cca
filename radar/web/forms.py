"""What forms that write send."""

from urllib.parse import parse_qs

from fastapi import Request

from radar.errors import CallerError

_LARGEST = 100_000


async def fields(request: Request) -> dict[str, str]:
    """What a form sent, each field once. Raises CallerError for what is no form."""
    body = await request.body()
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind != "application/x-www-form-urlencoded" or len(body) > _LARGEST:
        raise CallerError("This is no form of ours.", "Use the page's own form, or the API with JSON.")
    try:
        found = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=100, errors="strict")
    except ValueError:
        raise CallerError("The form cannot be read.", "Send it as UTF-8 with at most 100 fields.") from None
    return {name: values[-1].strip() for name, values in found.items()}
