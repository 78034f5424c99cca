"""The face for programs: JSON under /v1, one problem shape for every error; it carries the pages as well."""

from radar.api.app import create_app

__all__ = ["create_app"]
