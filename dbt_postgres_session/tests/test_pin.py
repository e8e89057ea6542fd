"""Each session of dbt's is the same, whatever role, database and profile say."""

from pathlib import Path

import pytest
from dbt.adapters.postgres.connections import PostgresConnectionManager
from dbt.adapters.postgres.impl import PostgresAdapter
from dbt_postgres_session.pin import SETTINGS
from dbt_postgres_session.plugin import register
from session_servers import Server

from small_project import DATABASE, ROLE, SmallProject  # isort: skip

ODD = {
    "search_path": "public, pg_catalog",
    "timezone": "Asia/Kolkata",
    "timezone_abbreviations": "India",
    "datestyle": "SQL, DMY",
    "intervalstyle": "iso_8601",
    "extra_float_digits": "0",
    "bytea_output": "escape",
    "standard_conforming_strings": "off",
    "array_nulls": "off",
    "quote_all_identifiers": "on",
    "lc_monetary": "POSIX",
    "lc_numeric": "POSIX",
    "lc_time": "POSIX",
    "transform_null_equals": "on",
    "check_function_bodies": "off",
    "default_table_access_method": "other",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "idle_session_timeout": "1234567",
    "idle_in_transaction_session_timeout": "1234567",
    "client_encoding": "LATIN1",
}
OPERATORS = {"work_mem": "7MB", "statement_timeout": "55s", "lock_timeout": "44s"}
WANTED = {**SETTINGS, "client_encoding": "UTF8"}


def make_odd(project: SmallProject) -> None:
    """Set each setting oddly, half of them on the role and half on the database."""
    project.execute("create access method other type table handler heap_tableam_handler")
    for number, (name, value) in enumerate({**ODD, **OPERATORS}.items()):
        owner = f"role {ROLE}" if number % 2 else f"database {DATABASE}"
        values = ", ".join(f"'{part}'" for part in value.split(", "))
        project.execute(f"alter {owner} set {name} = {values}")


def reading(names: list[str]) -> str:
    """A model of the settings that its session has."""
    columns = ", ".join(f"current_setting('{name}') as {name}" for name in names)
    return "{{ config(materialized='table') }} select " + columns


def saying(query: str) -> str:
    """A hook that prints what a query answers."""
    return '{% if execute %}{{ log(run_query("' + query + '")[0][0], info=true) }}{% endif %}'


def settings_of(project: SmallProject, model: str, names: list[str]) -> dict[str, str]:
    """What such a model found."""
    return dict(zip(names, project.query(f"select * from marts.{model}")[0], strict=True))


def test_all_settings_are_odd_in_the_test() -> None:
    """A setting that is pinned has another value to be pinned from."""
    assert ODD.keys() == WANTED.keys()
    assert not ODD.items() & WANTED.items()


@pytest.mark.parametrize("target", [{}, {"autocommit": True}, {"role": ROLE}])
def test_each_session_is_pinned(any_project: SmallProject, target: dict) -> None:
    """Models on several connections find the same; the operator's settings are left alone."""
    make_odd(any_project)
    any_project.configure(**target)
    names = [*WANTED, *OPERATORS]
    for model in "abcd":
        any_project.write(f"models/{model}.sql", reading(names))
    run = any_project.dbt()
    assert run.success, run.text
    for model in "abcd":
        assert settings_of(any_project, model, names) == {**WANTED, **OPERATORS}


def test_text_survives_where_the_session_would_be_latin1(project: SmallProject) -> None:
    """The driver knows of the encoding that was set, so that what it reads is what is there."""
    make_odd(project)
    project.write("models/a.sql", "select 'čé' as said")
    project.hooks([saying("select 'čé'")], [])
    run = project.dbt()
    assert run.success, run.text
    assert "čé" in run.text
    with project.connect() as cursor:
        cursor.connection.set_client_encoding("UTF8")
        cursor.execute("select said from marts.a")
        assert cursor.fetchall() == [("čé",)]


def test_a_latin1_database_is_read(server: Server, tmp_path: Path) -> None:
    """Its text comes to dbt as what it is."""
    project = SmallProject.create(
        server, tmp_path, "encoding 'LATIN1' locale 'C' template template0"
    )
    project.hooks([saying("select 'é' || chr(233)")], [])
    project.write("models/a.sql", "select 1 as one")
    assert "éé" in project.dbt().text


def test_another_search_path_is_refused(project: SmallProject) -> None:
    """In a sentence; the one that is set anyway is none."""
    project.write("models/a.sql", "select 1 as one")
    project.configure(search_path="public")
    run = project.dbt()
    assert not run.success
    assert "The profile sets search_path to 'public'" in run.text
    assert "remove `search_path`" in run.text
    project.configure(search_path="pg_catalog,pg_temp")
    assert project.dbt().success


def test_pinning_itself_calls_no_stranger(project: SmallProject) -> None:
    """The statements before the search path is set resolve in the catalogue too."""
    make_odd(project)
    project.execute("create table public.calls (name text); grant all on public.calls to public")
    for name, argument in (("pg_backend_pid", ""), ("set_config", "text, text, boolean")):
        project.execute(
            f"create function public.{name}({argument}) returns int language plpgsql as"
            f" 'begin insert into public.calls values (''{name}''); return 1; end'"
        )
    project.write("models/a.sql", "select 1 as one")
    assert project.dbt().success
    assert project.query("select * from public.calls") == []


def test_registering_twice_changes_nothing() -> None:
    """Tests run dbt a thousand times in one process."""
    register(PostgresAdapter, PostgresConnectionManager)
    before = dict(vars(PostgresConnectionManager)), dict(vars(PostgresAdapter))
    register(PostgresAdapter, PostgresConnectionManager)
    assert (dict(vars(PostgresConnectionManager)), dict(vars(PostgresAdapter))) == before
