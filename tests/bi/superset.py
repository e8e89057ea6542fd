"""Superset from PyPI in an environment of its own, set up and served on this machine."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from rich.console import Console

from tests.app_database import PROJECT

HERE = Path(__file__).parent
UV = PROJECT / ".tools" / "bin" / "uv"
ENVIRONMENT = PROJECT / ".tools" / "superset"
ADMINISTRATOR = "administrator"
SECONDS_TO_START = 300

console = Console()


@dataclass(frozen=True)
class Superset:
    """A running Superset, with its administrator logged in."""

    address: str
    session: requests.Session
    home: Path

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        """Status and answer of its REST API."""
        answer = self.session.request(
            method, f"{self.address}/api/v1/{path}", json=body, timeout=120
        )
        return answer.status_code, answer.json()

    def get(self, path: str) -> dict[str, Any]:
        """What it answers to a question that it must answer."""
        status, answer = self.ask("GET", path)
        assert status == 200, answer
        return answer

    def post(self, path: str, body: Any) -> dict[str, Any]:
        """What it answers to an order that it must carry out."""
        status, answer = self.ask("POST", path, body)
        assert status in (200, 201), answer
        return answer

    def calls_outside(self) -> list[str]:
        """Names and addresses of other machines that it asked for; all were refused.

        The first of each process is that of superset_config.py.
        """
        log = self.home / "outside.log"
        return log.read_text().splitlines() if log.exists() else []


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is done, and how long it took."""
    started = time.monotonic()
    with console.status(what):
        yield
    console.print(f"{time.monotonic() - started:>5.0f} s  {what}")


def install() -> None:
    """Bring the environment to what requirements.txt has; seconds where it is there already."""
    with step("install Superset"):
        if not (ENVIRONMENT / "bin" / "python").exists():
            python = ("--python", ">=3.11,<3.13", "--no-python-downloads")
            _run([UV, "venv", "--quiet", *python, ENVIRONMENT])
        python = ("--python", ENVIRONMENT / "bin" / "python")
        _run([UV, "pip", "sync", "--require-hashes", *python, HERE / "requirements.txt"])


@contextmanager
def running() -> Iterator[Superset]:
    """Set up a Superset in a new folder, and serve it on a free port until the block ends."""
    home = Path(tempfile.mkdtemp(prefix="paygen-superset-"))
    try:
        password = secrets.token_hex(16)
        environment = _environment(home)
        set_up = {
            "make Superset's own database": ["db", "upgrade"],
            "make its administrator": [
                *("fab", "create-admin", "--username", ADMINISTRATOR, "--password", password),
                *("--firstname", "A", "--lastname", "B", "--email", "a@b.example"),
            ],
            "make its roles": ["init"],
        }
        for what, arguments in set_up.items():
            with step(what):
                _run([ENVIRONMENT / "bin" / "superset", *arguments], environment)
        with _served(home, environment) as address:
            yield Superset(address, _log_in(address, password), home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _environment(home: Path) -> dict[str, str]:
    return {
        "PATH": f"{ENVIRONMENT / 'bin'}:{os.environ['PATH']}",
        "HOME": str(home),
        "TMPDIR": str(home),
        "SUPERSET_HOME": str(home),
        "SUPERSET_CONFIG_PATH": str(HERE / "superset_config.py"),
        "SUPERSET_SECRET_KEY": secrets.token_urlsafe(42),
        "FLASK_APP": "superset.app:create_app()",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
    }


def _run(command: list[Any], environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, cwd=HERE
    )
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        raise RuntimeError(f"{' '.join(map(str, command[:3]))} failed:\n{said}")


@contextmanager
def _served(home: Path, environment: dict[str, str]) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener, (home / "log").open("w") as log:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        process = subprocess.Popen(
            [
                *(ENVIRONMENT / "bin" / "gunicorn", "--bind", f"fd://{listener.fileno()}"),
                *("--worker-class", "gthread", "--threads", "4", "--timeout", "300"),
                "superset.app:create_app()",
            ],
            env=environment,
            cwd=home,
            stdout=log,
            stderr=log,
            pass_fds=[listener.fileno()],
        )
        try:
            with step("start Superset"):
                _wait(address, process, home / "log")
            yield address
        finally:
            process.terminate()
            process.wait(timeout=60)


def _wait(address: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if requests.get(f"{address}/health", timeout=5).ok:
                return
        except requests.RequestException:
            time.sleep(0.5)
    raise RuntimeError(f"Superset does not start:\n{log.read_text()[-3000:]}")


def _log_in(address: str, password: str) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    body = {"username": ADMINISTRATOR, "password": password, "provider": "db"}
    answer = session.post(f"{address}/api/v1/security/login", json=body, timeout=60)
    answer.raise_for_status()
    session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    answer = session.get(f"{address}/api/v1/security/csrf_token/", timeout=60)
    answer.raise_for_status()
    session.headers["X-CSRFToken"] = answer.json()["result"]
    return session
