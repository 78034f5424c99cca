"""A Dask cluster as the crew. This module alone imports Dask, which is installed by `pip install .[cluster]`.

What travels are the functions below, by name, with bytes and plain values. Dask itself pickles them between its
processes: whoever reaches its ports can run code there, so its network must be private.
"""

import hashlib
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from distributed import Client, WorkerPlugin, as_completed
from distributed.scheduler import KilledWorker

from radar import registry
from radar.backfill.reading import Day, DayRead, read_with
from radar.errors import CallerError, RadarError

T = TypeVar("T")
AHEAD = 2
"""Days that are out for each thread of a worker, so that none waits for the next to be laid out."""
_WAIT = 10
_models: dict[str, Path] = {}
"""Where a worker has models, by the SHA-256 of their manifests."""


class DaskCrew:
    """The workers of a scheduler, as tcp://host:8786. Raises CallerError where it is out of reach or has none."""

    def __init__(self, address: str) -> None:
        if not re.fullmatch(r"(tcp|tls|ucx|wss?)://.+:\d+", address):
            raise CallerError(f"'{address[:100]}' is no address of a Dask scheduler.", "Such as tcp://HOST:8786.")
        try:
            self._client = Client(address, timeout=_WAIT, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            hint = "Start one: dask scheduler; then on each host: dask worker tcp://HOST:8786 --nthreads 1."
            raise CallerError(f"There is no Dask scheduler at {address}: {error}.", hint) from error

    def __call__(self, folder: Path, days: Iterable[tuple[T, Day]]) -> Iterator[tuple[T, DayRead]]:
        yield from self._read(self._give_model(folder), iter(days))

    def close(self) -> None:
        """Let go of the scheduler."""
        self._client.close()

    def _give_model(self, folder: Path) -> str:
        """See that all workers have this radar, and bring them the model, where it is not in that folder for them."""
        model = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
        try:
            self._client.wait_for_workers(1, timeout=_WAIT)
        except TimeoutError:
            hint = "Start some: dask worker tcp://HOST:8786 --nthreads 1."
            raise CallerError("The Dask scheduler has no workers.", hint) from None
        said = self._client.run(has_model, str(folder), model)
        other = {where for where, (version, _) in said.items() if version != registry.model_id()}
        if other:
            raise CallerError(f"Another radar is installed at {', '.join(sorted(other))}.", "Install the same there.")
        files = {}
        if not all(has for _, has in said.values()):
            files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
        self._client.register_plugin(ModelGiver(str(folder), model, files), name=f"radar-{model[:12]}")
        return model

    def _read(self, model: str, days: Iterator[tuple[T, Day]]) -> Iterator[tuple[T, DayRead]]:
        client, out = self._client, dict[Any, T]()
        done = as_completed(loop=client.loop, raise_errors=False)

        def give() -> bool:
            for what, day in days:
                future = client.submit(read_here, model, tuple(day), pure=False)
                out[future] = what
                done.add(future)
                return True
            return False

        def lay_out() -> None:
            while len(out) < AHEAD * max(1, sum(client.nthreads().values())) and give():
                pass

        lay_out()
        for future in done:
            yield out.pop(future), DayRead(*_result(future))
            lay_out()


def _result(future: Any) -> tuple[Any, ...]:
    """What a worker answered. Raises RadarError with what went wrong there."""
    try:
        found: tuple[Any, ...] = future.result()
        return found
    except RadarError:
        raise
    except KilledWorker as error:
        raise RadarError(f"Workers were killed again and again: {error}.", "Is their memory enough?") from error
    except Exception as error:
        raise RadarError(f"A Dask worker failed: {type(error).__name__}: {error}.", "Look at its log.") from error


# ---- what runs in workers ----


class ModelGiver(WorkerPlugin):  # type: ignore[misc]
    """Tells every worker, also one that comes later, where the model is; with its files for those that lack it."""

    def __init__(self, folder: str, model: str, files: dict[str, bytes]) -> None:
        self.folder, self.model, self.files = folder, model, files

    def setup(self, worker: Any) -> None:
        """Keep the files, unless the folder is here."""
        if has_model(self.folder, self.model)[1]:
            _models[self.model] = Path(self.folder)
        elif self.files:
            kept = Path(tempfile.mkdtemp(prefix="radar-model-", dir=worker.local_directory))
            for name, content in self.files.items():
                (kept / Path(name).name).write_bytes(content)
            _models[self.model] = kept


def has_model(folder: str, model: str) -> tuple[str, bool]:
    """Which radar is installed here, and whether that very model is in that folder."""
    manifest = Path(folder) / "manifest.json"
    try:
        return registry.model_id(), hashlib.sha256(manifest.read_bytes()).hexdigest() == model
    except OSError:
        return registry.model_id(), False


def read_here(model: str, day: tuple[Any, ...]) -> tuple[Any, ...]:
    """Read a day in a worker."""
    if model not in _models:
        raise RadarError("A worker came without the model.", "Bring it the folder of models, or run the command again.")
    return tuple(read_with(_models[model], Day(*day)))
