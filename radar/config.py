"""Settings: read once from RADAR_* by a face, then passed down."""

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from radar.errors import CallerError
from radar.markets import market_pairs

DEMO_FOLDER = "demo"


class Settings(BaseSettings):
    """Everything an operator can set, each as an environment variable RADAR_<NAME>; an empty one is as none."""

    model_config = SettingsConfigDict(
        env_prefix="RADAR_", extra="ignore", frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    data_dir: Path = Field(
        default=Path.home() / ".local" / "share" / "radar", description="where data and fitted models live"
    )
    database_url: str = Field(
        default="",
        description="SQLite or PostgreSQL, as SQLAlchemy names it; empty means SQLite in data_dir",
        repr=False,
    )
    replica_url: str = Field(
        default="",
        description="a standby of that PostgreSQL, which answers reads of pages and API",
        repr=False,
    )
    replica_lag: int = Field(
        default=10, description="seconds that the standby may be behind before reads go to the primary", ge=1, le=3600
    )
    host: str = Field(default="127.0.0.1", description="address to serve at")
    log: Literal["text", "json"] = Field(default="text", description="how a server's log lines look")
    port: int = Field(default=8321, description="port to serve at", ge=0, le=65535)
    retention_days: int = Field(default=400, description="text of posts older than this is pruned", ge=30)
    snapshot_days: int = Field(default=90, description="daily snapshots are kept this long", ge=7)
    hourly_days: int = Field(
        default=400, description="counts are kept by the hour this long, then by the day", ge=200, le=36_500
    )
    reject_days: int = Field(default=30, description="rejected items are kept this long", ge=1)

    retention_sources: str = Field(
        default="",
        description="sources whose texts are pruned sooner, as 'sky=30 push=90' (days, 7 at least)",
        pattern=r"^\s*(\S+=0*([7-9]|[1-9][0-9]{1,4})\s*)*$",
    )

    behind_proxy: bool = Field(
        default=False, description="a proxy stands before this radar: whoever asks from loopback is not trusted for it"
    )
    rate_limit: int = Field(default=600, description="requests a minute of one key or user", ge=1, le=1_000_000)
    rate_limit_address: int = Field(
        default=120, description="requests a minute of one address without a key", ge=1, le=1_000_000
    )
    session_days: int = Field(default=14, description="whoever logs in stays so for so long", ge=1, le=365)
    audit_days: int = Field(default=400, description="the log of who wrote what is kept this long", ge=1)

    public_url: str = Field(
        default="",
        description="where hubs on the Internet reach this radar, as https://radar.example",
        pattern=r"^(https?://[!-~]+)?$",
    )
    push_secret: str = Field(
        default="",
        description="secret (whsec_...) that pushes are signed with, or the private file that holds it",
        repr=False,
    )
    drop_dir: Path | None = Field(default=None, description="a folder whose files are imported as they come")
    partner_weights: Path | None = Field(default=None, description="weights that KOLs are ranked by, as TOML")
    partner_prices: Path | None = Field(default=None, description="what posts cost, as YAML")
    mcp_hosts: str = Field(
        default="",
        description="names by which agents reach /mcp, besides loopback, host and public_url",
        pattern=r"^[0-9A-Za-z.:\[\] _-]*$",
    )
    smtp_url: str = Field(
        default="",
        description="mail server that hands in e-mail alerts, as smtp://user:password@mail.example.com:587",
        repr=False,
    )
    mail_from: str = Field(default="", description="who e-mail alerts come from", pattern=r"^[ -~]*$")
    allow_private_targets: bool = Field(
        default=False, description="whether alerts may go to private, loopback and link-local addresses"
    )
    reports: str = Field(
        default="",
        description="market pairs whose weekly report is made on Mondays, as TW>JP,KR>JP",
    )
    report_languages: str = Field(
        default="en zh-Hant ja ko th",
        description="languages that they are made in",
        pattern=r"^\s*((en|zh-Hant|ja|ko|th)([\s,]+|$))+$",
    )
    contact: str = Field(
        default="",
        description="mail address or URL that servers we ask are told, in the User-Agent",
        pattern=r"^[ -~]*$",
    )

    @field_validator("database_url", "replica_url")
    @classmethod
    def _readable(cls, url: str) -> str:
        return _normal_url(_with_hosts_apart(url)) if url else url

    @field_validator("replica_url")
    @classmethod
    def _beside_postgresql(cls, url: str, info: ValidationInfo) -> str:
        if url and not (url.startswith("postgresql") and info.data.get("database_url", "").startswith("postgresql")):
            raise ValueError("a replica is a standby of the PostgreSQL that RADAR_DATABASE_URL names")
        return url

    @field_validator("reports")
    @classmethod
    def _known_pairs(cls, text: str) -> str:
        market_pairs(text)
        return text

    @property
    def retention_by_source(self) -> dict[str, int]:
        """Days by source for those whose texts are pruned sooner than the others'."""
        return {name: int(days) for name, _, days in (said.rpartition("=") for said in self.retention_sources.split())}

    @property
    def url(self) -> str:
        """The database to use."""
        return self.database_url or f"sqlite:///{self.data_dir / 'radar.db'}"

    @property
    def models_dir(self) -> Path:
        """Where fitted models are kept."""
        return self.data_dir / "models"

    @property
    def tiers_path(self) -> Path:
        """Where an operator says what followers make which tier; there need be no such file."""
        return self.data_dir / "tiers.toml"

    @property
    def labels_dir(self) -> Path:
        """Where the labels that people gave are kept."""
        return self.data_dir / "labels"

    def told(self) -> list[dict[str, Any]]:
        """Each setting as an operator may see it: variable, value, whether it was given, what it is. No secrets."""
        return [
            {
                "variable": f"RADAR_{name.upper()}",
                "value": None if field.repr is False or (value := getattr(self, name)) in ("", None) else str(value),
                "is_given": name in self.model_fields_set,
                "is_secret": field.repr is False,
                "description": field.description or "",
            }
            for name, field in type(self).model_fields.items()
        ]

    def for_demo(self) -> "Settings":
        """The same settings with a data folder and a store of the demo's own."""
        is_there = self.data_dir.name == DEMO_FOLDER
        folder = self.data_dir if is_there else self.data_dir / DEMO_FOLDER
        return self.model_copy(update={"data_dir": folder, "database_url": "", "replica_url": ""})


def load_settings() -> Settings:
    """Settings from the environment. Raises CallerError that names the variable at fault."""
    try:
        return Settings()
    except ValidationError as error:
        faults = "; ".join(
            f"RADAR_{'_'.join(map(str, e['loc'])).upper()}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors()
        )
    # outside of the handler: what could not be read may hold a password
    raise CallerError(f"Configuration is not valid: {faults}.", "Correct or unset the variable.")


_SEVERAL = re.compile(
    r"(?P<head>postgresql(\+\w+)?://([^@/?]*@)?)(?P<hosts>[^@/?]*,[^@/?]*)(?P<base>/[^?]*)?(\?(?P<query>.*))?"
)
"""A URL that names several hosts as libpq does: postgresql://user@one:5432,two:5432/radar."""


def _with_hosts_apart(url: str) -> str:
    """The same URL as SQLAlchemy names several hosts.

    >>> _with_hosts_apart("postgresql://ann@one:5432,two/radar")
    'postgresql://ann@/radar?host=one:5432&host=two'
    """
    found = _SEVERAL.fullmatch(url)
    if found is None:
        return url
    hosts = "&".join(f"host={host}" for host in found["hosts"].split(",") if host)
    rest = f"&{found['query']}" if found["query"] else ""
    return f"{found['head']}{found['base'] or '/'}?{hosts}{rest}"


def _normal_url(url: str) -> str:
    """A database URL with its password in one place, quoted, so that what names the database never shows it.

    Raises ValueError, which never repeats the URL.
    """
    import sqlalchemy as sa  # most commands that only explain themselves need no database

    form = "expected a form like postgresql://user:password@host:5432/radar or sqlite:////path/radar.db"
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise ValueError(form) from None
    except ValueError:
        raise ValueError(f"the port is not a number, {form}") from None
    if parsed.get_backend_name() == "sqlite":
        return url
    if parsed.get_backend_name() != "postgresql":
        raise ValueError(f"{parsed.get_backend_name()} is neither sqlite nor postgresql")
    if "@" in f"{parsed.host}{parsed.database}" or "?" in url.rpartition("@")[0]:
        raise ValueError("a user or password that holds @ : / or ? writes it as %40 %3A %2F or %3F")
    if "password" not in parsed.query:
        return url
    password, user = parsed.query["password"], parsed.username or parsed.query.get("user", "")
    if not (isinstance(password, str) and isinstance(user, str)):
        raise ValueError("user and password are given once each")
    return (
        parsed.set(username=user, password=password)
        .difference_update_query(["password", "user"])
        .render_as_string(hide_password=False)
    )
