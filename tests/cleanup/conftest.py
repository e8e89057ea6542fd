"""An app's database with a credit pool in it, and the operator who retires it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo import server as embedded
from tests.app_database import AppDatabase
from tests.cleanup.operator import SETUP, Operator
from tests.conftest import _start

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")  # what Supabase still runs; the wheel has none
AS_POSTGRES = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


def start_15() -> Iterator[embedded.Server]:
    """PostgreSQL 15 where the machine has it; it refuses to run as root."""
    prefix = AS_POSTGRES if os.geteuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="paygen-15-"))
    if prefix:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    ctl = [*prefix, DEBIAN_15 / "pg_ctl", "-D", data, "-w"]
    quiet = {"check": True, "capture_output": True, "cwd": folder}
    subprocess.run([*prefix, DEBIAN_15 / "initdb", "-D", data, "-U", "postgres", "-N"], **quiet)
    with (data / "postgresql.conf").open("a") as configuration:
        configuration.write(embedded.SETTINGS)
    options = f"-k {folder} -c listen_addresses="
    subprocess.run([*ctl, "start", "-l", data / "log", "-o", options], **quiet)
    try:
        yield embedded.Server(str(folder), 5432, "postgres", 15)
    finally:
        subprocess.run([*ctl, "stop", "-m", "immediate"], **quiet)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session", params=["18", "16", "15"])
def any_server(request: pytest.FixtureRequest) -> Iterator[embedded.Server]:
    """Every PostgreSQL to be had, the oldest where the machine has it."""
    if request.param == "18":
        yield request.getfixturevalue("server")
    elif request.param == "16":
        yield from _start("16")
    elif DEBIAN_15.exists():
        yield from start_15()
    else:
        pytest.skip("PostgreSQL 15 is not installed")


@pytest.fixture
def operator(database: AppDatabase) -> Operator:
    """The operator on the newest PostgreSQL."""
    database.execute(SETUP)
    return Operator(database)


@pytest.fixture
def any_operator(any_database: AppDatabase) -> Operator:
    """The operator on each PostgreSQL: for what may differ between versions."""
    any_database.execute(SETUP)
    return Operator(any_database)
