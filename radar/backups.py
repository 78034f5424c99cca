"""Backups: the whole store, fitted models and labels in one ZIP file that says what it is, and back again.

    manifest.json       form, database, schema revision, when it was made, and the SHA-256 of every other member
    radar.db            the store of SQLite, or
    tables/NAME.copy    a table of PostgreSQL, as COPY writes it
    files/...           models/, labels/ and tiers.toml of the data folder

PostgreSQL is copied by ourselves and not by pg_dump: that must be as new as the server, and installed on both ends.
A file comes to its name when it is whole; nothing is restored of one that is not.
"""

import glob
import hashlib
import json
import os
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

import sqlalchemy as sa

from radar.config import Settings
from radar.errors import CallerError, RadarError, StoreError, UnreadableInput
from radar.store import copying, runs
from radar.store.engine import open_store, reading
from radar.store.migrate import HEAD, current, revisions

FORM = "radar backup 1"
BLOCK = 1 << 20
_MANIFEST, _SQLITE = "manifest.json", "radar.db"
_FOLDERS, _FILES = ("models", "labels"), ("tiers.toml",)
_LEFT_BEHIND = 3600
"""Seconds after which nobody writes a file any more that he has not touched."""
_AGAIN = "Make another backup, or use an older one."

Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True, slots=True)
class Backup:
    """What a file holds. size in bytes; files: those of models and labels."""

    database: str
    schema: str
    made_at: datetime
    size: int
    files: int


def back_up(
    engine: sa.Engine, settings: Settings, file: Path, *, now: datetime, replace: bool = False,
    progress: Progress = lambda what, done, of: None,
) -> Backup:  # fmt: skip
    """Write a backup while others read and write the store.

    Raises CallerError where the file is there already, unless it is to be replaced, and RadarError where it fails.
    """
    if file.exists() and not (replace and file.is_file()):
        raise CallerError(f"{file} is there already.", "Name another file, or say --replace.")
    if not file.parent.is_dir():
        raise CallerError(f"There is no folder {file.parent}.", "Make it, or name another file.")
    schema = current(engine)
    if schema is None:
        raise CallerError("There is no store to back up.", "Is RADAR_DATA_DIR or RADAR_DATABASE_URL the right one?")
    if schema not in revisions():
        raise StoreError(f"The store's schema {schema} is none that this radar knows.", "Upgrade radar.")
    manifest: dict[str, Any] = {
        "form": FORM, "database": engine.dialect.name, "schema": schema, "made_at": now.isoformat(), "sha256": {},
    }  # fmt: skip
    with _scratch(file) as part, part.open("wb") as raw:  # for its owner alone, as mkstemp makes it
        with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
            copy = _pack_sqlite if engine.dialect.name == "sqlite" else _pack_postgresql
            copy(engine, packed, manifest, file, progress)
            for name, path in _kept_files(settings.data_dir):
                with path.open("rb") as content:
                    _pack(packed, manifest, f"files/{name}", _blocks(content))
            packed.writestr(_MANIFEST, json.dumps(manifest))
        raw.flush()
        os.fsync(raw.fileno())
        os.replace(part, file)
    return _described(file, manifest)


def _pack_sqlite(
    engine: sa.Engine, packed: zipfile.ZipFile, manifest: dict[str, Any], file: Path, progress: Progress
) -> None:
    with _scratch(file) as copy:
        copying.copy_sqlite(copying.sqlite_path(engine), copy, lambda done, of: progress("copying", done, of))
        manifest["schema"] = copying.sqlite_revision(copy)
        progress("packing", 0, None)
        with copy.open("rb") as content:
            _pack(packed, manifest, _SQLITE, _blocks(content))


def _pack_postgresql(
    engine: sa.Engine, packed: zipfile.ZipFile, manifest: dict[str, Any], file: Path, progress: Progress
) -> None:
    still = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    manifest["tables"] = {}
    with still.connect() as connection:
        for n, (name, columns, blocks) in enumerate(copying.copied_out(connection)):
            progress("tables", n, None)
            if name == "alembic_version":
                continue
            manifest["tables"][name] = columns
            _pack(packed, manifest, f"tables/{name}.copy", blocks)


def _pack(packed: zipfile.ZipFile, manifest: dict[str, Any], name: str, blocks: Iterable[bytes]) -> None:
    digest = hashlib.sha256()
    with packed.open(name, "w", force_zip64=True) as member:
        for block in blocks:
            digest.update(block)
            member.write(block)
    manifest["sha256"][name] = digest.hexdigest()


def restore(
    settings: Settings, file: Path, *, now: datetime, replace: bool = False,
    progress: Progress = lambda what, done, of: None,
) -> Backup:  # fmt: skip
    """Put a backup in place of the store, migrated to the newest schema: whole, or not at all.

    Raises UnreadableInput for a file that is damaged or no backup, StoreError for one of a newer radar, and CallerError
    where something is stored already, unless it is to be replaced, or a scheduler is at work.
    """
    with _opened(file) as packed:
        manifest = _checked(packed, file, progress)
        engine = open_store(settings.url, migrate=False)
        try:
            _may_restore(engine, manifest, replace, now)
            _unpack_files(packed, manifest, settings.data_dir, replace)
            if engine.dialect.name == "sqlite":
                _restore_sqlite(engine, packed, progress)
            else:
                _restore_postgresql(engine, packed, manifest, progress)
        except sa.exc.OperationalError as error:
            if "lock timeout" in str(error.orig):
                raise StoreError("The store is in use.", "Stop radar everywhere, then restore again.") from None
            raise
        finally:
            engine.dispose()
    return _described(file, manifest)


def _may_restore(engine: sa.Engine, manifest: dict[str, Any], replace: bool, now: datetime) -> None:
    kind = engine.dialect.name
    if manifest["database"] != kind:
        raise CallerError(
            f"The backup is of {manifest['database']}, the store here is {kind}.", "Set RADAR_DATABASE_URL to its kind."
        )
    if copying.has_content(engine) and not replace:
        raise CallerError("The store is not empty.", "Say --replace to put the backup in its place, or name another.")
    found = current(engine)
    if found is not None and found > HEAD:
        raise StoreError(f"The store's schema is {found}, newer than this radar's {HEAD}.", "Upgrade radar.")
    if found is not None:
        with reading(engine) as session:
            holder = runs.holder_of(session, "scheduler", now)
        if holder:
            raise CallerError(f"A scheduler is at work ({holder}).", "Stop radar, wait a minute, then restore again.")


def _restore_sqlite(engine: sa.Engine, packed: zipfile.ZipFile, progress: Progress) -> None:
    target = copying.sqlite_path(engine)
    with _scratch(target) as copy:
        with packed.open(_SQLITE) as member, copy.open("wb") as out:
            for block in _blocks(member):
                out.write(block)
        if fault := copying.sqlite_faults(copy):
            raise UnreadableInput(f"The store in the backup is damaged: {fault}.", _AGAIN)
        open_store(f"sqlite:///{copy}").dispose()
        engine.dispose()
        copying.copy_sqlite(copy, target, lambda done, of: progress("restoring", done, of))


def _restore_postgresql(
    engine: sa.Engine, packed: zipfile.ZipFile, manifest: dict[str, Any], progress: Progress
) -> None:
    def tables() -> Generator[tuple[str, list[str], Iterable[bytes]], None, None]:
        for n, (name, columns) in enumerate(manifest["tables"].items()):
            progress("restoring", n, len(manifest["tables"]))
            with packed.open(f"tables/{name}.copy") as member:
                yield name, columns, _blocks(member)

    with closing(tables()) as copied:
        copying.replace_postgresql(engine, manifest["schema"], copied)


@contextmanager
def _opened(file: Path) -> Iterator[zipfile.ZipFile]:
    if not file.is_file():
        raise UnreadableInput(f"There is no file {file}.", "Name a backup that `radar db backup` wrote.")
    try:
        with zipfile.ZipFile(file) as packed:
            yield packed
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise UnreadableInput(f"{file} is damaged, or no backup: {error}.", _AGAIN) from error


def _checked(packed: zipfile.ZipFile, file: Path, progress: Progress) -> dict[str, Any]:
    """The manifest of a file, every member of which is what was written. Raises UnreadableInput and StoreError."""
    manifest = _manifest(packed, file)
    names = [name for name in packed.namelist() if name != _MANIFEST]
    digests: dict[str, str] = manifest["sha256"]
    if sorted(names) != sorted(digests):
        raise UnreadableInput(f"{file} is damaged: its members are not those that were written.", _AGAIN)
    for n, name in enumerate(names):
        progress("checking", n, len(names))
        if name.startswith("files/"):
            _inside(PurePosixPath(name.removeprefix("files/")), file)
        digest = hashlib.sha256()
        with packed.open(name) as member:
            for block in _blocks(member):
                digest.update(block)
        if digest.hexdigest() != digests[name]:
            raise UnreadableInput(f"{file} is damaged: {name} is not what was written.", _AGAIN)
    wanted = {_SQLITE} if manifest["database"] == "sqlite" else {f"tables/{name}.copy" for name in manifest["tables"]}
    if {name for name in names if not name.startswith("files/")} != wanted:
        raise UnreadableInput(f"{file} is damaged: its store is not whole.", _AGAIN)
    return manifest


def _manifest(packed: zipfile.ZipFile, file: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(packed.read(_MANIFEST))
        if manifest["form"] != FORM:
            raise ValueError(f"its form is {manifest['form']!r}")
        datetime.fromisoformat(manifest["made_at"])
        if not isinstance(manifest["sha256"], dict) or manifest["database"] not in ("sqlite", "postgresql"):
            raise ValueError("its manifest is not whole")
        schema = str(manifest["schema"])
        dict(manifest.get("tables", {}))
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise UnreadableInput(f"{file} is no backup that this radar can read: {error}.", _AGAIN) from error
    if schema not in revisions():
        raise StoreError(f"The backup's schema is {schema}, unknown to this radar ({HEAD}).", "Upgrade radar.")
    return manifest


def _inside(name: PurePosixPath, file: Path) -> PurePosixPath:
    """A name of a file in the data folder. Raises UnreadableInput for one that leads elsewhere."""
    parts = name.parts
    is_kept = parts and (str(name) in _FILES or (parts[0] in _FOLDERS and len(parts) > 1))
    if not is_kept or name.is_absolute() or ".." in parts or any("\\" in p or ":" in p or "\0" in p for p in parts):
        raise UnreadableInput(f"{file} is no backup of radar's: it would write {name}.", _AGAIN)
    return name


def _unpack_files(packed: zipfile.ZipFile, manifest: dict[str, Any], folder: Path, replace: bool) -> None:
    """Bring back models and labels; what is there stays, unless it is to be replaced."""
    for member_name in manifest["sha256"]:
        if not member_name.startswith("files/"):
            continue
        target = folder / _inside(PurePosixPath(member_name.removeprefix("files/")), folder)
        if target.exists() and not replace:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.parent.resolve().is_relative_to(folder.resolve()):
            raise RadarError(f"{target.parent} leads out of the data folder.", "Replace the link by a folder.")
        with _scratch(target) as part:
            with packed.open(member_name) as member, part.open("wb") as out:
                for block in _blocks(member):
                    out.write(block)
            os.replace(part, target)


def _kept_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Models that are fitted whole, labels and tiers, by their names in the data folder."""
    for path in sorted(path for name in _FOLDERS for path in (folder / name).rglob("*")):
        is_whole = path.relative_to(folder).parts[0] != "models" or (path.parent / "manifest.json").is_file()
        if path.is_file() and not path.is_symlink() and is_whole:
            yield path.relative_to(folder).as_posix(), path
    for name in _FILES:
        if (folder / name).is_file():
            yield name, folder / name


def _described(file: Path, manifest: dict[str, Any]) -> Backup:
    made_at = datetime.fromisoformat(manifest["made_at"]).astimezone(UTC)
    files = sum(name.startswith("files/") for name in manifest["sha256"])
    return Backup(manifest["database"], manifest["schema"], made_at, file.stat().st_size, files)


def _blocks(content: IO[bytes]) -> Iterator[bytes]:
    while block := content.read(BLOCK):
        yield block


@contextmanager
def _scratch(beside: Path) -> Iterator[Path]:
    """A file to write beside another one, for this user alone; gone at the end, unless it was given a name.

    What a killed process left behind is cleared away an hour later.
    """
    for left in beside.parent.glob(f".{glob.escape(beside.name)}.*.part*"):
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > _LEFT_BEHIND:
                left.unlink()
    handle, name = tempfile.mkstemp(prefix=f".{beside.name}.", suffix=".part", dir=beside.parent)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        for end in ("", "-wal", "-shm", "-journal"):
            Path(name + end).unlink(missing_ok=True)
