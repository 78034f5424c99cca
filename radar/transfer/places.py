"""Where files of an export lie: a folder of this machine, or whatever else fsspec reaches by a URL."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from radar.errors import CallerError, RadarError

BLOCK = 8 << 20
_LOST = (OSError, ValueError, ImportError)
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


class Place:
    """A folder or a URL. Names in it are relative, with slashes.

    Raises CallerError where it cannot be reached, or a name leads out of it.
    """

    def __init__(self, where: str) -> None:
        self.shown = _without_password(where)
        try:
            self._fs, root = fsspec.core.url_to_fs(where)
        except _LOST as error:
            raise CallerError(
                f"Cannot reach {self.shown}: {error}.",
                "Name a folder, or a URL that fsspec knows; s3:// needs `pip install s3fs`, gs:// gcsfs, az:// adlfs.",
            ) from error
        self._root = str(root).rstrip("/")
        self.url = where
        self._is_local = isinstance(self._fs, LocalFileSystem)

    def _path(self, name: str) -> str:
        parts = name.split("/")
        if any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts):
            raise CallerError(f"'{name}' leads out of {self.shown}.", "That is no export of radar's.")
        path = f"{self._root}/{name}"
        if self._is_local and not Path(path).resolve().is_relative_to(Path(self._root).resolve()):
            raise CallerError(f"'{name}' leads out of {self.shown}.", "Replace the link by a folder.")
        return path

    def has(self, name: str) -> bool:
        """Whether a file is there."""
        with self._reached():
            return bool(self._fs.isfile(self._path(name)))

    def names(self) -> list[str]:
        """All files that are there."""
        with self._reached():
            if not self._fs.isdir(self._root):
                return []
            found = self._fs.find(self._root)
        return [str(path)[len(self._root) + 1 :] for path in found]

    @contextmanager
    def reading(self, name: str) -> Iterator[IO[bytes]]:
        """A file, open for reading."""
        with self._reached(), self._fs.open(self._path(name), "rb") as file:
            yield file

    def digest(self, name: str) -> str:
        """SHA-256 of a file, read a block at a time."""
        found = hashlib.sha256()
        with self.reading(name) as file:
            while block := file.read(BLOCK):
                found.update(block)
        return found.hexdigest()

    @contextmanager
    def writing(self, name: str) -> Iterator[Any]:
        """A file to write, which comes to its name when it is whole; it counts and hashes what is written."""
        path = self._path(name)
        with self._reached():
            if not self._is_local:  # an object is there once it is whole
                with self._fs.open(path, "wb") as file:
                    yield Hashed(file)
                return
            part = f"{path}.{os.getpid()}.part"
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            try:
                with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                    yield Hashed(file)
                os.replace(part, path)
            finally:
                Path(part).unlink(missing_ok=True)

    def settle(self) -> None:
        """Wait until what was written is on the disk: once, for files by the thousand."""
        if self._is_local:
            os.sync()

    def remove(self, name: str) -> None:
        """Delete a file."""
        with self._reached():
            self._fs.rm_file(self._path(name))

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise CallerError(f"A file of {self.shown} is missing: {error}.", "Is the export whole?") from error
        except OSError as error:
            hint = "Is there room, and may you read and write there?"
            raise RadarError(f"{self.shown}: {error.strerror or error}.", hint) from error


class Hashed:
    """A file for writing that knows the SHA-256 and the length of what was written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._hash, self.size = file, hashlib.sha256(), 0

    @property
    def digest(self) -> str:
        """SHA-256 of what was written so far."""
        return self._hash.hexdigest()

    @property
    def closed(self) -> bool:
        """As of the file."""
        return self._file.closed

    def write(self, data: Any) -> int:
        """Write and hash."""
        block = bytes(data)
        self._hash.update(block)
        self.size += len(block)
        return self._file.write(block)

    def flush(self) -> None:
        """As of the file."""
        self._file.flush()

    def tell(self) -> int:
        """Where the next byte goes."""
        return self.size


def _without_password(where: str) -> str:
    return re.sub(r"://[^/@]*@", "://", where) if _URL.match(where) else where
