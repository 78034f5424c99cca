"""Settings, and what a face makes of them."""

from pathlib import Path

import pytest

from radar.config import Settings


@pytest.mark.parametrize("folder", ["data", "data/demo"])
def test_the_demo_never_uses_the_configured_database(tmp_path: Path, folder: str) -> None:
    settings = Settings(data_dir=tmp_path / folder, database_url="postgresql://radar@127.0.0.1/radar")
    assert settings.for_demo().data_dir == tmp_path / "data" / "demo"
    assert settings.for_demo().url == f"sqlite:///{tmp_path / 'data' / 'demo' / 'radar.db'}"
