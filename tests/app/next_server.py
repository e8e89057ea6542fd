"""The files of app/ in a Next application that is built and served."""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.app_database import PROJECT, AppDatabase
from tests.dashboard.serving import READER

APP = PROJECT / "app"
SHELL = Path(__file__).with_name("shell")
NICE = ["nice", "-n", "10"]


@dataclass(frozen=True)
class Answer:
    """What the route answered."""

    status: int
    body: dict
    cache_control: str


@dataclass(frozen=True)
class Build:
    """A built application, which looks for Supabase at a port."""

    folder: Path
    supabase_port: int
    environment: dict[str, str]


@dataclass(frozen=True)
class Site:
    """The application as it is served."""

    address: str

    def get_stats(self, token: str | None = "Bearer token-of-root") -> Answer:
        """Ask the route with an `Authorization` header."""
        headers = {"authorization": token} if token is not None else {}
        request = urllib.request.Request(f"{self.address}/api/admin/credit-stats", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return _answer(response)
        except urllib.error.HTTPError as error:
            return _answer(error)


def _answer(response: urllib.request.addinfourl | urllib.error.HTTPError) -> Answer:
    cache_control = response.headers["cache-control"]
    return Answer(response.status, json.loads(response.read()), cache_control)


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def build(folder: Path) -> Build:
    """Install by the lock, check types strictly, and build; skip where npm cannot do it."""
    npm = shutil.which("npm")
    if not npm:
        pytest.skip("no npm: the app's dashboard cannot be built")
    for name in ("package.json", "package-lock.json", "tsconfig.json"):
        shutil.copy(APP / name, folder)
    port = free_port()
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    environment = ours | {
        "NEXT_TELEMETRY_DISABLED": "1",
        "NEXT_PUBLIC_SUPABASE_URL": f"http://127.0.0.1:{port}",
        "NEXT_PUBLIC_SUPABASE_ANON_KEY": "the-anon-key",
    }
    installed = _run(
        [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], folder, environment
    )
    if installed.returncode:
        pytest.skip(f"the packages cannot be installed: {installed.stderr[-300:]}")
    shutil.copytree(APP / "apps" / "web" / "app", folder / "app")
    for file in SHELL.iterdir():
        shutil.copy(file, folder / "app")
    for step in ("build", "check"):
        result = _run([npm, "run", step], folder, environment)
        assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    return Build(folder, port, environment)


def _run(
    command: list[str], folder: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*NICE, *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@contextmanager
def serve(
    built: Build, database: AppDatabase | None, user: str = READER, **variables: str
) -> Iterator[Site]:
    """Serve the application over a test's database until the block ends."""
    port = free_port()
    marts = {}
    if database is not None:
        # The tests' servers listen on a socket, which no address can name: libpq's variables do.
        marts = {
            "ANALYTICS_DATABASE_URL": f"postgres:///{database.name}",
            "PGHOST": str(database.server.host),
            "PGPORT": str(database.server.port),
            "PGUSER": user,
        }
    process = subprocess.Popen(
        ["node", "node_modules/next/dist/bin/next", "start", "-H", "127.0.0.1", "-p", str(port)],
        cwd=built.folder,
        env=built.environment | marts | variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        site = Site(f"http://127.0.0.1:{port}")
        for _ in range(200):
            try:
                urllib.request.urlopen(site.address, timeout=30).close()
                break
            except (urllib.error.URLError, ConnectionError):
                assert process.poll() is None, "the server has ended"
                time.sleep(0.2)
        yield site
    finally:
        process.terminate()
        process.wait(timeout=20)
