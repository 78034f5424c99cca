"""A client that pushes posts and keeps which of them were acknowledged."""

import threading
import time
from typing import Any

import httpx

from tests.builders import NOON


def pushed(author: str, number: int | str) -> dict[str, Any]:
    """A post as it is pushed."""
    told = {"native_id": author, "audience_market": "TW"}
    item = {"platform": "test", "native_id": f"{author}-{number}", "text": "ramen in Osaka", "author": told}
    return item | {"published_at": NOON.isoformat()}


class Pusher:
    """Pushes posts one after another, and keeps which of them were acknowledged. A refused one is pushed again."""

    def __init__(self, at: str, name: str) -> None:
        self._at, self._name, self._over = at, name, threading.Event()
        self.acknowledged: list[str] = []
        self.refused = 0
        self._thread = threading.Thread(target=self._push, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join(60)

    def _push(self) -> None:
        number = 0
        with httpx.Client(timeout=30) as client:
            while not self._over.is_set():
                name = f"{self._name}-{number}"
                item = pushed(self._name, number)
                try:
                    answer = client.post(f"{self._at}/v1/posts", json={"posts": [item]})
                except httpx.TransportError:
                    self.refused += 1
                    time.sleep(0.02)
                    continue
                if answer.status_code == 200 and answer.json()["rejected"] == 0:
                    self.acknowledged.append(name)
                    number += 1
                else:
                    self.refused += 1
                    time.sleep(0.1)
