"""`table` for SQL models, in a project that has nothing but this project's materializations."""

import shutil
import threading
import time
from functools import partial
from pathlib import Path

import pytest
import yaml
from dbt.adapters.factory import FACTORY, AdapterContainer
from dbt.plugins.manager import PluginManager

from local_postgres.dbt import run_dbt
from local_postgres.server import Server
from tests.app_database import PROJECT, AppDatabase
from tests.conftest import make_database


class SmallProject:
    """A project with one SQL model, and its database."""

    def __init__(self, database: AppDatabase, folder: Path) -> None:
        self.database = database
        self.folder = folder
        server = database.server
        output = {
            "type": "postgres",
            **{"host": server.host, "port": server.port, "user": server.user, "password": ""},
            **{"dbname": database.name, "schema": "marts", "threads": 1},
        }
        profile = {"small": {"target": "test", "outputs": {"test": output}}}
        (folder / "profiles.yml").write_text(yaml.safe_dump(profile))
        (folder / "dbt_project.yml").write_text("name: small\nprofile: small\nconfig-version: 2\n")
        shutil.copytree(PROJECT / "macros" / "materializations", folder / "macros")
        (folder / "models").mkdir()

    def write(self, columns: str) -> None:
        """Write the model `numbers`, a table."""
        text = "{{ config(materialized='table') }} select " + columns
        (self.folder / "models" / "numbers.sql").write_text(text)

    def run(self, *arguments: str) -> None:
        """Run the model, which must succeed."""
        result = run_dbt(
            ["run", *arguments, "--target", "test", "--log-level-file", "debug"],
            project=self.folder,
            profiles=self.folder,
            target=self.folder / "target",
            logs=self.folder,
        )
        assert result.success, result.exception or result.result[0].message

    def rows(self) -> list[tuple]:
        """The model's rows."""
        return [tuple(row.values()) for row in self.database.query("select * from marts.numbers")]


@pytest.fixture
def small(server: Server, tmp_path: Path) -> SmallProject:
    """A small project on the newest PostgreSQL."""
    return SmallProject(make_database(server, "small"), tmp_path)


def test_a_long_query_does_not_make_others_wait(small: SmallProject) -> None:
    """While one reader keeps the old table from being replaced, the next ones are served."""
    small.write("1 as id, 'a' as note")
    small.run()
    small.write("2 as id, 'b' as note")
    rebuild = threading.Thread(target=small.run, args=("--full-refresh",))
    with small.database.connect() as one, small.database.connect() as two:
        reader, other = one.cursor(), two.cursor()
        reader.execute("begin; select * from marts.numbers")
        rebuild.start()
        while not small.database.query(
            "select 1 from pg_locks where mode = 'AccessExclusiveLock' and not granted"
        ):
            assert rebuild.is_alive()
        other.execute("set lock_timeout = '500ms'")
        until = time.monotonic() + 2
        while time.monotonic() < until:
            other.execute("select id from marts.numbers")
            assert other.fetchall() == [(1,)]
        reader.execute("rollback")
        rebuild.join()
    assert small.rows() == [(2, "b")]


def test_a_small_table_is_written_where_it_stands(small: SmallProject) -> None:
    """A long query of its reader keeps nobody waiting; with other columns it is made anew."""

    def run(columns: str) -> tuple[int, list[tuple]]:
        small.write(columns)
        small.run()
        (row,) = small.database.query("select 'marts.numbers'::regclass::oid")
        return row["oid"], small.rows()

    first, rows = run("1 as id, 'a' as note")
    assert rows == [(1, "a")]
    with small.database.connect() as reader:
        reader.cursor().execute("begin; select * from marts.numbers")
        assert run("2 as id, 'b' as note") == (first, [(2, "b")])
    second, rows = run("2 as id, 'b' as note, 3 as more")
    assert second != first
    assert rows == [(2, "b", 3)]


def test_without_the_runtime_of_python_models(
    small: SmallProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQL models are built, and the run says what is left out."""
    monkeypatch.setattr("dbt.plugins.manager._MODULES_CACHE", None)
    monkeypatch.setattr(PluginManager, "get_prefixed_modules", classmethod(lambda _: {}))
    monkeypatch.delenv("DBT_PG_PYTHON_MODELS", raising=False)
    names = partial(AdapterContainer.get_adapter_package_names, FACTORY)
    monkeypatch.setattr(FACTORY, "get_adapter_package_names", names)
    with (small.folder / "dbt_project.yml").open("a") as file:
        file.write("on-run-start: ['{{ python_models_notice() }}']\n")
    small.write("1 as id")
    small.run()
    assert small.rows() == [(1,)]
    assert "Python models are left out" in (small.folder / "dbt.log").read_text()
