"""Settings: read once from RADAR_* by a face, then passed down."""

from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from radar.errors import CallerError

DEMO_FOLDER = "demo"


class Settings(BaseSettings):
    """Everything an operator can set, each as an environment variable RADAR_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="RADAR_", extra="ignore", frozen=True)

    data_dir: Path = Field(
        default=Path.home() / ".local" / "share" / "radar", description="where data and fitted models live"
    )
    database_url: str = Field(default="", description="SQLAlchemy URL; empty means SQLite in data_dir")
    host: str = Field(default="127.0.0.1", description="address to serve at")
    port: int = Field(default=8321, description="port to serve at", ge=0, le=65535)
    retention_days: int = Field(default=400, description="text of posts older than this is pruned", ge=30)
    snapshot_days: int = Field(default=90, description="daily snapshots are kept this long", ge=7)
    reject_days: int = Field(default=30, description="rejected items are kept this long", ge=1)

    @property
    def url(self) -> str:
        """The database to use."""
        return self.database_url or f"sqlite:///{self.data_dir / 'radar.db'}"

    @property
    def models_dir(self) -> Path:
        """Where fitted models are kept."""
        return self.data_dir / "models"

    def for_demo(self) -> "Settings":
        """The same settings with a data folder and a store of the demo's own."""
        if self.data_dir.name == DEMO_FOLDER:
            return self
        return self.model_copy(update={"data_dir": self.data_dir / DEMO_FOLDER, "database_url": ""})


def load_settings() -> Settings:
    """Settings from the environment. Raises CallerError that names the variable at fault."""
    try:
        return Settings()
    except ValidationError as error:
        faults = "; ".join(f"RADAR_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
        raise CallerError(f"Configuration is not valid: {faults}.", "Correct or unset the variable.") from error
