"""What the build cannot read it names, in words, and it leaves no mart half built."""

import pytest

from local_postgres.server import Server
from tests.app_database import AppDatabase, messages
from tests.conftest import make_database


@pytest.fixture
def built(database: AppDatabase) -> AppDatabase:
    """A database with the marts of an earlier, sound run."""
    database.dbt("seed")
    database.dbt("run")
    return database


def test_missing_columns_and_tables_are_named_at_once(built: AppDatabase) -> None:
    """Every fault of every table in one message, and the earlier marts as they were."""
    before = _relations(built)
    built.execute("alter table credit_transactions rename column cost_usd to cost")
    built.execute("alter table enhancement_tasks rename column cost_usd to cost")
    built.execute("alter table user_credits rename to balances")
    said = _failure(built)
    assert "public.credit_transactions has no column cost_usd" in said
    assert "public.enhancement_tasks has no column cost_usd or provider_cost" in said
    assert "no table public.user_credits" in said
    assert _relations(built) == before


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("revoke select on user_credits from paygen", 'grant select on "public"."user_credits"'),
        (
            "revoke usage on schema public from public, paygen",
            "grant select on public.user_credits",
        ),
        ("alter role paygen nobypassrls", "row-level security hides rows of table"),
    ],
)
def test_rows_that_the_role_may_not_read(
    database: AppDatabase, statement: str, expected: str
) -> None:
    """No grant, or row-level security, stops the run with the remedy."""
    database.execute(statement)
    try:
        said = _failure(database)
    finally:
        database.execute("alter role paygen bypassrls")
    assert expected in said
    assert _relations(database) == []


def test_database_without_the_app(server: Server) -> None:
    """Each of the three tables is named, and nothing is built."""
    database = make_database(server)
    tables = ("credit_transactions", "enhancement_tasks", "user_credits")
    for table in tables:
        database.execute(f"drop table {table} cascade")
    said = _failure(database)
    assert [table for table in tables if f"no table public.{table}" not in said] == []
    assert _relations(database) == []


def test_no_such_role(database: AppDatabase) -> None:
    """The server's own words say which role it does not know."""
    result = database.dbt("run", user="nobody_at_all", expect_success=False)
    assert not result.success
    assert "nobody_at_all" in messages(result)


def test_no_server(server: Server, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The message names the place at which no server answers."""
    nowhere = str(tmp_path_factory.mktemp("no-server"))
    database = AppDatabase(Server(nowhere, server.port, server.user, 0), "paygen")
    result = database.dbt("run", expect_success=False)
    assert not result.success
    assert nowhere in messages(result)


def _failure(database: AppDatabase) -> str:
    """What a run that must fail says."""
    result = database.dbt("run", expect_success=False)
    assert not result.success
    return messages(result)


def _relations(database: AppDatabase) -> list[dict]:
    """Everything that stands in the analytics schemas, by name and storage."""
    return database.query(
        "select oid::regclass::text as name, relfilenode from pg_class"
        " where relnamespace::regnamespace::text like 'analytics%' and relkind in ('r', 'v', 'm')"
        " order by 1"
    )
