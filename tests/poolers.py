"""PgBouncer in front of a test's database."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local_postgres.server import Server
from tests.app_database import AppDatabase
from tests.cleanup.conftest import PORT, as_user, folder_of, user_of

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin") or ""
needs_pooler = pytest.mark.skipif(
    not PGBOUNCER, reason="pgbouncer is not installed (Debian: apt-get install it)"
)


@contextmanager
def pooler_of(database: AppDatabase, user: str, mode: str = "transaction") -> Iterator[Server]:
    """PgBouncer for one user; in transaction mode each transaction has another server process."""
    server = database.server
    with folder_of(user_of(server)) as folder:
        (folder / "users.txt").write_text(f'"{user}" ""\n')
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\n{database.name} = host={server.host} port={server.port}\n"
            f"[pgbouncer]\nlisten_addr =\nlisten_port = {PORT}\nunix_socket_dir = {folder}\n"
            f"auth_type = trust\nauth_file = {folder}/users.txt\npool_mode = {mode}\n"
            "server_round_robin = 1\nignore_startup_parameters = extra_float_digits\n"
        )
        process = subprocess.Popen(
            [*as_user(user_of(server)), PGBOUNCER, "-q", folder / "pgbouncer.ini"],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while not _listens(folder / f".s.PGSQL.{PORT}"):
                assert process.poll() is None, "pgbouncer did not start"
                time.sleep(0.01)
            yield Server(str(folder), PORT, user, server.version)
        finally:
            process.terminate()
            process.wait(10)


def _listens(path: Path) -> bool:
    """Whether a socket takes connections: its file is there a moment before."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0
