"""A stranger's functions, operators, casts and types are never called, whatever runs.

Each planted function has argument types that fit an app's columns better than the catalogue's own,
and ends the statement that calls it. They stand in `public`, and in the temporary schema of each
session, as if a pooler had handed it on.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
import pytest

from dbt_postgres_session import pin
from local_postgres.server import Server
from tests import sample
from tests.app_database import BUILD_ROLE, AppDatabase, messages
from tests.conftest import make_database
from tests.histories import load, load_rows
from tests.marts.comparison import assert_marts_equal
from tests.oracle import Options, answers
from tests.security.strangers_sql import PLANTED, TEMPORARY
from tests.security.test_trust import without_the_package

pytestmark = pytest.mark.skipif(
    not sample.FOLDER.is_dir(), reason=f"the sample is not at {sample.FOLDER}"
)
NOBODY = "00000000-0000-4000-8000-000000000000"
AS_OF = {"as_of": sample.AS_OF.isoformat()}


def plant(database: AppDatabase) -> None:
    """Plant them as a role that may create in `public`, first on the build role's search path."""
    database.execute(
        "do $$ begin create role mallory login;"
        " exception when duplicate_object then null; end $$;"
        "grant create, usage on schema public to mallory"
    )
    database.execute(PLANTED, user="mallory")
    database.execute(
        f"alter role {BUILD_ROLE} in database {database.name} set search_path = public, pg_catalog"
    )


def calls(database: AppDatabase) -> int:
    """How often a planted function was called, in statements that were rolled back too."""
    return database.query("select is_called::int * last_value as n from public.calls")[0]["n"]


@contextmanager
def nothing_called(database: AppDatabase) -> Iterator[None]:
    """Whatever happens inside calls nothing that was planted."""
    before = calls(database)
    yield
    assert calls(database) == before


@contextmanager
def sessions_that_hold_plants() -> Iterator[list[int]]:
    """Each of dbt's sessions has the temporary plants before it is pinned; answers which had."""
    planted: list[int] = []
    pin_session = pin.pin_session

    def plant_and_pin(handle: psycopg2.extensions.connection) -> None:
        with handle.cursor() as cursor:
            cursor.execute(TEMPORARY)
        handle.commit()
        planted.append(handle.get_backend_pid())
        pin_session(handle)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pin, "pin_session", plant_and_pin)
        yield planted


@pytest.fixture(scope="module")
def planted_database(server: Server) -> AppDatabase:
    """An app's database where a stranger was."""
    database = make_database(server, "planted")
    plant(database)
    return database


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("lower('A'::varchar)", "lower"),
        ("takes_odd(2)", "cast of int4"),
        ("count(*) from pg_class", "temporary view pg_class"),
        ("cast('a' as text)", "temporary type text"),
        ("cast(2 as int8)", "temporary type int8"),
    ],
)
def test_what_is_planted_is_found_without_the_pin(
    planted_database: AppDatabase, expression: str, found: str
) -> None:
    """In a session like those of the next test, which would show nothing else."""
    with planted_database.connect(BUILD_ROLE) as connection, connection.cursor() as cursor:
        cursor.execute(TEMPORARY)
        with pytest.raises(psycopg2.errors.RaiseException, match=f"planted: {found}"):
            cursor.execute(f"select {expression}")
        pin.pin_session(connection)
        if found != "cast of int4":
            cursor.execute(f"select {expression}")
            assert cursor.rowcount == 1


@pytest.mark.long
def test_no_stranger_is_called(any_database: AppDatabase) -> None:
    """In a full build, scheduled runs, each operation; the numbers are the oracle's."""
    tables = sample.app_tables()
    load(any_database, tables)
    load_rows(any_database, "system_alerts", sample.rows("system_alerts"))
    plant(any_database)
    (counted,) = any_database.query(
        "select count(*) as n from pg_proc where proowner = 'mallory'::regrole"
    )
    assert counted["n"] > 1000
    with nothing_called(any_database), sessions_that_hold_plants() as sessions:
        any_database.dbt("build", variables=AS_OF, python_models=True)
        assert_marts_equal(any_database, answers(tables, Options(as_of=sample.AS_OF)))
        any_database.execute(
            "update public.enhancement_tasks set status = 'failed' where id ="
            " (select id from public.enhancement_tasks order by created_at desc limit 1)"
        )
        any_database.dbt("build", "--selector", "frequent", variables=AS_OF)
        any_database.dbt("build", "--selector", "frequent", variables=AS_OF)
        any_database.execute(
            "delete from public.enhancement_tasks where id ="
            " (select id from public.enhancement_tasks order by created_at limit 1)"
        )
        any_database.dbt("run-operation", "reconcile", variables=AS_OF, expect_success=False)
        any_database.dbt("run-operation", "reconcile", "--args", "{repair: true}", variables=AS_OF)
        any_database.dbt("build", "--selector", "daily", variables=AS_OF)
        any_database.dbt("build", "--selector", "weekly", "--full-refresh", variables=AS_OF)
        any_database.dbt("run-operation", "advise_indexes")
        any_database.dbt("run-operation", "forget_user", "--args", f"{{user_id: {NOBODY}}}")
        any_database.dbt("source", "freshness", expect_success=False)
    assert len(sessions) > 10


def test_the_operations_are_refused_where_a_stranger_would_be_called(
    database: AppDatabase,
) -> None:
    """Without the package; what was planted is not called by the check itself."""
    any_rows = sample.app_tables()
    load(database, any_rows)
    database.dbt("build", "--resource-type", "model", "seed", variables=AS_OF)
    plant(database)
    with without_the_package(), nothing_called(database):
        for operation in ("reconcile", "advise_indexes"):
            result = database.dbt("run-operation", operation, expect_success=False)
            assert not result.success
            assert "names must resolve in pg_catalog alone" in messages(result)
