"""The face for programs: JSON under /v1, one problem shape for every error; it carries the pages as well."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from radar.api.app import create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    """The application, loaded when it is asked for: who prints an answer in the API's shape need not wait for it."""
    if name != "create_app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from radar.api.app import create_app

    return create_app
