"""Encodings that are kept: an hour's work is done once, and what comes after it gives the same bytes each time."""

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

Encode = Callable[[Sequence[str]], np.ndarray]

SLICE = 2_000
"""Texts of a file: what is lost at most when the encoder is stopped."""


class Kept:
    """An encoder that remembers in a folder: NNNN.json, a list of texts, beside NNNN.npy, their vectors as float16.

    folder   None keeps nothing
    encoder  makes the encoder, once a text is not there
    """

    def __init__(self, folder: Path | None, encoder: Callable[[], Encode]) -> None:
        self._folder, self._encoder = folder, encoder
        self._made: Encode | None = None
        self._known: dict[str, np.ndarray] = {}
        self._files = 0
        for file in sorted(folder.glob("*.json")) if folder else ():
            texts = json.loads(file.read_text(encoding="utf-8"))
            self._known.update(zip(texts, np.load(file.with_suffix(".npy")), strict=True))
            self._files += 1

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """(texts, 384) float32, of length one but for their rounding."""
        missing = sorted(set(texts) - self._known.keys())
        random.Random(0).shuffle(missing)  # so that a part of them tells how long all will take
        for at in range(0, len(missing), SLICE):
            self._add(missing[at : at + SLICE])
        return np.stack([self._known[text] for text in texts]).astype(np.float32)

    def _add(self, texts: list[str]) -> None:
        self._made = self._made or self._encoder()
        found = self._made(texts).astype(np.float16)
        self._known.update(zip(texts, found, strict=True))
        if self._folder:
            np.save(self._folder / f"{self._files:04d}.npy", found)
            being_written = self._folder / "texts.part"
            being_written.write_text(json.dumps(texts), encoding="utf-8")
            being_written.replace(self._folder / f"{self._files:04d}.json")
            self._files += 1
            print(f"{self._files} slices kept", flush=True)
