"""Stores and clients for tests of the API."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from radar.api import create_app
from radar.config import Settings
from tests.api.small_store import SmallStore, fill, open_small


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallStore]:
    """A filled store that no test changes."""
    store = fill(open_small(tmp_path_factory.mktemp("filled")))
    yield store
    store.engine.dispose()


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[SmallStore]:
    """An empty store."""
    store = open_small(tmp_path)
    yield store
    store.engine.dispose()


def client_of(store: SmallStore) -> TestClient:
    """A client of an app over the store; errors come as answers."""
    return TestClient(create_app(store.engine, Settings()), raise_server_exceptions=False, follow_redirects=False)


@pytest.fixture
def client(filled: SmallStore) -> Iterator[TestClient]:
    """As a served app: one loop for all requests, not one each."""
    with client_of(filled) as opened:
        yield opened


@pytest.fixture
def fresh(empty: SmallStore) -> Iterator[TestClient]:
    with client_of(empty) as opened:
        yield opened
