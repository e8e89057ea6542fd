"""A scheduler as a process of its own, and a small dbt project for it."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from tests.app_database import PROJECT, AppDatabase

NEVER = "0 0 29 2 *"
LONG_AGO = (datetime.now(UTC) - timedelta(days=1500)).isoformat()
MODELS = {
    "one": "select 1 as n",
    "broken": "select 1 / 0 as n",
    "slow": "select 1 as n from pg_catalog.pg_sleep(60)",
}


def write_project(folder: Path, database: AppDatabase) -> None:
    """A project with a model that builds, one that fails and one that takes a minute."""
    server = database.server
    output = {
        "type": "postgres",
        **{"host": server.host, "port": server.port, "user": server.user, "password": ""},
        **{"dbname": database.name, "schema": "small", "threads": 2},
    }
    (folder / "models").mkdir(parents=True)
    profile = {"small": {"target": "test", "outputs": {"test": output}}}
    (folder / "profiles.yml").write_text(yaml.safe_dump(profile))
    (folder / "dbt_project.yml").write_text("name: small\nprofile: small\nconfig-version: 2\n")
    for name, text in MODELS.items():
        table = "{{ config(materialized='table') }} "
        (folder / "models" / f"{name}.sql").write_text(table + text)


def write_schedule(path: Path, commands: dict[str, str], **options: Any) -> None:
    """Runs that only come due because they were missed."""
    runs = {name: {"when": NEVER, "command": text} for name, text in commands.items()}
    for name, values in options.pop("runs", {}).items():
        runs[name] |= values
    path.write_text(yaml.safe_dump({"runs": runs, **options}))


def write_missed(path: Path, *names: str) -> None:
    """The record of a scheduler that ran these long ago, and missed many since."""
    run = {
        **{"selector": "", "status": "succeeded", "started_at": LONG_AGO, "ended_at": LONG_AGO},
        **{"failures": 0, "failing_since": None, "nodes": 0, "failed": []},
    }
    path.write_text(json.dumps({"version": 1, "runs": dict.fromkeys(names, run)}))


class Scheduler:
    """`python -m scheduler`, what it says, and what its health is."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self.state = folder / "runs.json"
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "scheduler", "--port", "0"),
                *("--schedule", str(folder / "schedule.yml"), "--state", str(self.state)),
                *arguments,
            ],
            cwd=PROJECT,
            env={**os.environ, "PAYGEN_CHANNELS": "", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> "Scheduler":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    @property
    def said(self) -> str:
        """All that it printed until now."""
        return "\n".join(self.lines)

    def wait_for(self, words: str, seconds: float = 60) -> str:
        """The rest of the line that has these words, once it is there."""

        def look() -> str | None:
            found = re.search(f"{words}(.*)", self.said)
            return found and found.group(1)

        return until(look, seconds, lambda: f"'{words}' was not said:\n{self.said}")

    def health(self) -> tuple[int, Any]:
        """The status and the answer."""
        address = self.wait_for("health is at ").strip()
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def end(self, seconds: float = 60) -> int:
        """Send SIGTERM; answer the exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(seconds)
        self._reader.join(10)
        return code

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line.rstrip())


def until(look: Callable[[], Any], seconds: float, problem: Callable[[], str]) -> Any:
    """What is found, as soon as it is."""
    give_up_at = time.monotonic() + seconds
    while True:
        found = look()
        if found is not None and found is not False:
            return found
        assert time.monotonic() < give_up_at, problem()
        time.sleep(0.05)
