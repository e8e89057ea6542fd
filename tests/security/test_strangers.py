"""A stranger's functions, operators and types in `public` are never called, whatever runs.

Each planted function has argument types that fit an app's columns better than the catalogue's own,
and ends the statement that calls it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
import pytest

from tests import sample
from tests.app_database import BUILD_ROLE, AppDatabase, messages
from tests.histories import load, load_rows
from tests.marts.comparison import assert_marts_equal
from tests.oracle import Options, answers
from tests.security.strangers_sql import PLANTED
from tests.security.test_trust import without_the_package

pytestmark = pytest.mark.skipif(
    not sample.FOLDER.is_dir(), reason=f"the sample is not at {sample.FOLDER}"
)
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
    with pytest.raises(psycopg2.errors.RaiseException, match="planted: lower"):
        any_database.query("select lower('A'::varchar)", user=BUILD_ROLE)
    with nothing_called(any_database):
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
        any_database.dbt("source", "freshness", expect_success=False)


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
