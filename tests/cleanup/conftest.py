"""An app's database with a credit pool in it, and the operator who retires it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local_postgres import server as embedded
from local_postgres.databases import create_database
from tests.app_database import AppDatabase, database_name
from tests.cleanup.operator import OPERATOR, SETUP, Operator
from tests.conftest import make_database

DEBIAN = Path("/usr/lib/postgresql")  # has PostgreSQL 15, which Supabase still runs; no wheel has
DEBIAN_15 = DEBIAN / "15" / "bin"
PORT = 6432  # names the socket only: each server has a folder of its own


def as_user(name: str) -> list[str]:
    """What to put before a command so that root runs it as an ordinary user."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={name}", f"--regid={name}", "--clear-groups"]


def user_of(server: embedded.Server) -> str:
    """The user that the server runs as, who alone is sure to reach its socket, when we are root."""
    return "postgres" if server.version == 15 else "pgserver"


@contextmanager
def folder_of(user: str) -> Iterator[Path]:
    """A folder for a server that runs as `user`; not pytest's own, which it cannot enter."""
    folder = Path(tempfile.mkdtemp(prefix="paygen-"))
    folder.chmod(0o755)
    if os.geteuid() == 0:
        shutil.chown(folder, user)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(data: Path, command: list[str | Path], version: int) -> Iterator[embedded.Server]:
    """A server on `data`, by the pg_ctl of `command`."""
    control = [*command, "-D", data, "-w"]
    options = f"-p {PORT} -k {data.parent} -c listen_addresses="
    quiet = {"check": True, "capture_output": True, "cwd": data.parent}
    subprocess.run([*control, "start", "-l", data / "log", "-o", options], **quiet)
    try:
        yield embedded.Server(str(data.parent), PORT, "postgres", version)
    finally:
        subprocess.run([*control, "stop", "-m", "immediate"], **quiet)


@contextmanager
def start_debian(version: int) -> Iterator[embedded.Server]:
    """A server of Debian's, where the machine has it; it refuses to run as root."""
    programs = DEBIAN / str(version) / "bin"
    with folder_of("postgres") as folder:
        prefix = as_user("postgres")
        data = folder / "data"
        subprocess.run(
            [*prefix, programs / "initdb", "-D", data, "-U", "postgres", "-N"],
            check=True,
            capture_output=True,
            cwd=folder,
        )
        with (data / "postgresql.conf").open("a") as configuration:
            configuration.write(embedded.SETTINGS)
        with running(data, [*prefix, programs / "pg_ctl"], version) as server:
            yield server


@contextmanager
def replica_of(server: embedded.Server) -> Iterator[embedded.Server]:
    """A streaming replica."""
    user = user_of(server)
    programs = DEBIAN_15 if server.version == 15 else embedded.binaries(server.version)
    with folder_of(user) as folder:
        copy = f"-R -X stream -c fast -h {server.host} -p {server.port} -U {server.user}"
        subprocess.run(
            [*as_user(user), programs / "pg_basebackup", "-D", folder / "data", *copy.split()],
            check=True,
            capture_output=True,
            cwd=folder,
        )
        with running(
            folder / "data", [*as_user(user), programs / "pg_ctl"], server.version
        ) as replica:
            yield replica


@pytest.fixture(scope="session", params=["18", "16", pytest.param("15", marks=pytest.mark.long)])
def any_server(
    request: pytest.FixtureRequest, server_of: Callable[[str], embedded.Server]
) -> Iterator[embedded.Server]:
    """Every PostgreSQL to be had, the oldest where the machine has it."""
    if request.param == "18":
        yield request.getfixturevalue("server")
    elif request.param == "16":
        yield server_of("16")
    elif DEBIAN_15.exists():
        with start_debian(15) as server:
            yield server
    else:
        pytest.skip("PostgreSQL 15 is not installed")


@pytest.fixture(scope="session")
def template(any_server: embedded.Server) -> AppDatabase:
    """A database with a credit pool in it, to be copied."""
    database = make_database(any_server, "template")
    database.execute(SETUP)
    return database


def copy_of(template: AppDatabase, purpose: str) -> Operator:
    """The operator of a fresh copy; grants on a database are not copied with it."""
    database = AppDatabase(template.server, database_name(purpose))
    maintenance = AppDatabase(template.server, "postgres")
    create_database(template.server, database.name, f"template {template.name}")
    maintenance.execute(f"grant create on database {database.name} to {OPERATOR}")
    return Operator(database)


@pytest.fixture
def operator(template: AppDatabase) -> Operator:
    """The operator on each PostgreSQL, with a database of his own."""
    return copy_of(template, "test")


@pytest.fixture(scope="session")
def idle_operator(template: AppDatabase) -> Operator:
    """The operator whose tests change nothing and share one database."""
    return copy_of(template, "idle")
