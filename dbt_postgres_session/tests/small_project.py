"""A throw-away dbt project that uses all of the package, and dbt run on it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

import psycopg2
import yaml
from dbt.cli.main import dbtRunner
from session_servers import Server

DATABASE = f"sessions_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
ROLE = f"builder_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
HOLD = "{{ adapter.hold_run_lock('one run', var('wait', 0)) or '' }}"
LOSE = "select pg_terminate_backend(pid) from pg_stat_activity where application_name ~ 'run lock'"
CHECK = "{{ adapter.check_run_lock() or '' }}"


def soon_gone(look: Callable[[], list]) -> list:
    """What there is after ten seconds, or nothing: a server ends a closed session soon."""
    give_up_at = time.monotonic() + 10
    while (found := look()) and time.monotonic() < give_up_at:
        time.sleep(0.1)
    return found


@dataclass
class Run:
    """What a dbt command said, and whether it succeeded."""

    success: bool
    text: str


@dataclass
class SmallProject:
    """A project folder, its database, and the role that builds there."""

    server: Server
    folder: Path
    target: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def create(cls, server: Server, folder: Path, options: str = "") -> "SmallProject":
        """Write the project's files, and make its role and its database anew."""
        project = cls(server, folder)
        with project.connect("postgres") as cursor:
            cursor.execute(f"drop database if exists {DATABASE} with (force)")
            cursor.execute(f"drop role if exists {ROLE}")
            cursor.execute(f"create role {ROLE} login bypassrls")
            cursor.execute(f"create database {DATABASE} owner {ROLE} {options}")
        project.configure()
        project.hooks([HOLD], [CHECK])
        return project

    def configure(self, **target: Any) -> None:
        """Write the profile, with these settings on top."""
        self.target = {
            "type": "postgres",
            "threads": 2,
            "host": self.server.host,
            "port": self.server.port,
            "user": ROLE,
            "password": "",
            "dbname": DATABASE,
            "schema": "marts",
            "retries": 0,
            **target,
        }
        profile = {"small": {"target": "test", "outputs": {"test": self.target}}}
        self.write("profiles.yml", yaml.safe_dump(profile))

    def hooks(self, start: list[str], end: list[str]) -> None:
        """Write the project's file with these hooks."""
        configuration = {
            "name": "small",
            "profile": "small",
            "config-version": 2,
            "on-run-start": start,
            "on-run-end": end,
        }
        self.write("dbt_project.yml", yaml.safe_dump(configuration))

    def write(self, path: str, text: str) -> None:
        """Write one file of the project."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text).lstrip("\n"))

    def command(self, *arguments: str) -> list[str]:
        """A command with all that says where the project is."""
        folders = ("--project-dir", "--profiles-dir")
        return [
            *arguments,
            *(part for flag in folders for part in (flag, str(self.folder))),
            *("--target-path", str(self.folder / "target")),
            *("--log-path", str(self.folder / "logs"), "--no-version-check"),
        ]

    def dbt(self, *arguments: str, listen: Callable[[str], None] | None = None) -> Run:
        """Run one dbt command in this process."""
        said: list[str] = []

        def hear(event: Any) -> None:
            if event.info.level != "debug":
                said.append(event.info.msg)
                if listen:
                    listen(event.info.msg)

        result = dbtRunner(callbacks=[hear]).invoke(self.command(*(arguments or ("run",))))
        nodes = getattr(result.result, "results", None) or []
        texts = [*said, str(result.exception or ""), *(node.message or "" for node in nodes)]
        return Run(result.success, "\n".join(texts))

    @contextmanager
    def process(self, *arguments: str) -> Iterator[subprocess.Popen]:
        """Run one dbt command in a process of its own, which has taken the lock."""
        program = "from dbt.cli.main import cli; cli()"
        process = subprocess.Popen(
            [sys.executable, "-c", program, *self.command(*arguments)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            for _ in range(600):
                if self.locks():
                    break
                assert process.poll() is None
                time.sleep(0.1)
            assert self.locks()
            yield process
        finally:
            process.kill()
            process.wait(10)

    @contextmanager
    def connect(self, database: str = DATABASE) -> Iterator[Any]:
        """Open a cursor of an autocommit connection as the superuser."""
        connection = psycopg2.connect(
            host=self.server.host, port=self.server.port, user=self.server.user, dbname=database
        )
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def execute(self, sql: str) -> None:
        """Run statements as the superuser."""
        with self.connect() as cursor:
            cursor.execute(sql)

    def query(self, sql: str) -> list[tuple]:
        """Return the rows of one query of the superuser's."""
        with self.connect() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def locks(self) -> list[tuple]:
        """Who holds an advisory lock in this database."""
        return self.query(
            "select pid, application_name from pg_locks inner join pg_stat_activity using (pid)"
            " where locktype = 'advisory' and granted and datname = current_database()"
        )
