"""A throw-away dbt project with our materializations, and dbt run on it in this process."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import psycopg2
import psycopg2.extras
import yaml
from dbt.cli.main import dbtRunner, dbtRunnerResult
from servers import Server

DATABASE = f"python_models_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
SCHEMA = "marts"


@dataclass(frozen=True)
class DbtProject:
    """A project folder and the database it builds into."""

    server: Server
    folder: Path

    @classmethod
    def create(cls, server: Server, folder: Path, **target: Any) -> "DbtProject":
        """Write the project's files and make its database anew.

        Args:
            server: where the database is made.
            folder: the project's folder.
            target: settings to add to the profile.
        """
        project = cls(server, folder)
        with project.connect("postgres") as cursor:
            cursor.execute(f"drop database if exists {DATABASE} with (force)")
            cursor.execute(f"create database {DATABASE}")
        output = {
            "type": "postgres",
            "threads": 2,
            "host": server.host,
            "port": server.port,
            "user": server.user,
            "password": "",
            "dbname": DATABASE,
            "schema": SCHEMA,
            **target,
        }
        profile = {"runtime": {"target": "test", "outputs": {"test": output}}}
        project.write("profiles.yml", yaml.safe_dump(profile))
        project.write("dbt_project.yml", "name: runtime\nprofile: runtime\nconfig-version: 2\n")
        return project

    def write(self, path: str, text: str) -> None:
        """Write one file of the project."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text).lstrip("\n"))

    def model(self, name: str, code: str, **properties: Any) -> None:
        """Write one Python model, and its YAML where it has any."""
        self.write(f"models/{name}.py", code)
        if properties:
            self.write(
                f"models/{name}.yml", yaml.safe_dump({"models": [{"name": name, **properties}]})
            )

    def dbt(self, *arguments: str) -> dbtRunnerResult:
        """Run one dbt command."""
        folders = ("--project-dir", "--profiles-dir")
        flags = [part for flag in folders for part in (flag, str(self.folder))]
        paths = [
            *("--target-path", str(self.folder / "target")),
            *("--log-path", str(self.folder / "logs")),
        ]
        return dbtRunner().invoke([*arguments, *flags, *paths, "--quiet", "--no-version-check"])

    def run(self, *models: str) -> None:
        """Run models that must succeed."""
        result = self.dbt("run", *(["--select", *models] if models else []))
        assert result.success, result.exception or [node.message for node in result.result]

    def error(self, model: str, *arguments: str) -> str:
        """Run one model that must fail; return what dbt says."""
        result = self.dbt("run", "--select", model, *arguments)
        assert not result.success
        return str(result.exception or result.result[0].message)

    @contextmanager
    def connect(self, database: str = DATABASE) -> Iterator[Any]:
        """Open a cursor of an autocommit connection as the superuser."""
        connection = psycopg2.connect(
            host=self.server.host, port=self.server.port, user=self.server.user, dbname=database
        )
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute("set timezone = 'UTC'")
                yield cursor
        finally:
            connection.close()

    def query(self, sql: str) -> list[tuple]:
        """Return the rows of one query."""
        with self.connect() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def execute(self, sql: str) -> None:
        """Run statements."""
        with self.connect() as cursor:
            cursor.execute(sql)

    def types(self, table: str) -> dict[str, str]:
        """The columns of one of the project's tables, and their types."""
        return dict(
            self.query(
                "select attname, format_type(atttypid, atttypmod) from pg_attribute where"
                f" attrelid = '{SCHEMA}.{table}'::regclass and attnum > 0 and not attisdropped"
                " order by attnum"
            )
        )

    def tables(self) -> set[str]:
        """The tables and views of the project's schema."""
        return {
            name
            for (name,) in self.query(
                f"select relname from pg_class where relnamespace = '{SCHEMA}'::regnamespace"
                " and relkind in ('r', 'v', 'm')"
            )
        }
