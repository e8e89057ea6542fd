"""The page as a process of its own over a test's database."""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

from local_postgres.databases import READER_SCRIPT
from tests.app_database import PROJECT, AppDatabase

READER = "paygen_reader"


@dataclass(frozen=True)
class Answer:
    """What the page answered."""

    status: int
    headers: Message
    text: str


@dataclass(frozen=True)
class Page:
    """A running page: its address and its process."""

    address: str
    process: subprocess.Popen

    def get(self, path: str = "/", method: str = "GET", **headers: str) -> Answer:
        """Ask for a path; a sentence instead of figures is an answer too."""
        request = urllib.request.Request(self.address + path, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return Answer(response.status, response.headers, response.read().decode())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read().decode())

    def memory_mib(self) -> float:
        """What the process holds of memory now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


def let_read(database: AppDatabase) -> AppDatabase:
    """Grant the reader what `reader_roles` grants; the demo's tests build with that variable."""
    database.execute(READER_SCRIPT.read_text())
    database.execute(
        f"grant usage on schema analytics to {READER};"
        f" grant select on all tables in schema analytics to {READER}"
    )
    return database


def environment(database: AppDatabase, user: str = READER) -> dict[str, str]:
    """Libpq's variables for the page."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {
        **ours,
        "PGHOST": database.server.host,
        "PGPORT": str(database.server.port),
        "PGUSER": user,
        "PGDATABASE": database.name,
    }


@contextmanager
def page_of(
    database: AppDatabase, user: str = READER, options: Sequence[str] = (), **variables: str
) -> Iterator[Page]:
    """Serve the page of a database on a free port, until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dashboard", "--no-browser", "--port", "0", *options],
        cwd=PROJECT,
        env={**environment(database, user), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        assert "http://" in line, process.stderr.read()
        yield Page(line.split("at ")[1].split(",")[0].rstrip("/"), process)
    finally:
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()
        process.stderr.close()


def write_files(
    database: AppDatabase, folder: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Write the pages of a database as files."""
    return subprocess.run(
        [sys.executable, "-m", "dashboard", "--static", str(folder)],
        cwd=PROJECT,
        env={**environment(database), **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
