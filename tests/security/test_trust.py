"""A run is pinned, and refused where it would run a stranger's code; each refusal is a sentence."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from dbt.adapters.postgres.connections import PostgresConnectionManager
from dbt.adapters.postgres.impl import PostgresAdapter
from dbt_postgres_session.plugin import register

from tests.app_database import BUILD_ROLE, AppDatabase, invoke, messages, parsed_project
from tests.security.test_build_role import built

MALLORY = "mallory"
TYPE = "create type public.tier as enum ('free', 'plus');"
SWAP = (
    "alter table public.user_credits alter subscription_tier type {0} using subscription_tier::{0}"
)


@pytest.fixture
def mallory(any_database: AppDatabase) -> Callable[[str], None]:
    """Run statements as a role that may create in the app's schema and is trusted by nobody."""
    any_database.execute(
        f"do $$ begin create role {MALLORY} login;"
        " exception when duplicate_object then null; end $$;"
        f" grant create, usage on schema public to {MALLORY}"
    )

    def act(sql: str) -> None:
        any_database.execute(sql, user=MALLORY)

    return act


def refused(database: AppDatabase, *sentences: str) -> None:
    """A run says each of these and has built nothing."""
    result = database.dbt("run", expect_success=False, parse=True)
    assert not result.success
    for sentence in sentences:
        assert sentence in messages(result)
    assert built(database) == []


@contextmanager
def without_the_package() -> Iterator[None]:
    """Connections as dbt-postgres alone opens them."""
    register(PostgresAdapter, PostgresConnectionManager)
    with pytest.MonkeyPatch.context() as patch:
        open_ = PostgresConnectionManager.__dict__["open"].__func__.__wrapped__
        patch.setattr(PostgresConnectionManager, "open", classmethod(open_))
        yield


def test_a_session_that_is_not_pinned_is_refused(database: AppDatabase) -> None:
    """The sentence says how to pin it."""
    with without_the_package():
        refused(database, "search_path is '\"$user\", public'", "make setup", "add `search_path")


def test_other_odd_settings_are_refused_without_the_package(database: AppDatabase) -> None:
    """And are no matter with it."""
    path = f"alter database {database.name} set search_path = pg_catalog, pg_temp"
    database.execute(path)
    database.execute(f"alter database {database.name} set transform_null_equals = on")
    with without_the_package():
        refused(database, "transform_null_equals is 'on' and must be off")
    database.dbt("seed")


def test_a_type_of_a_stranger_is_refused(any_database: AppDatabase, mallory: Any) -> None:
    """An enum, a domain over it, and an array: its owner may have planted a cast."""
    mallory(TYPE + "create domain public.tier_domain as public.tier")
    any_database.execute(SWAP.format("public.tier_domain"))
    refused(
        any_database,
        "column subscription_tier of table public.user_credits has type public.tier_domain",
        f"whose owner {MALLORY} is not the table's",
    )
    any_database.execute(
        f"alter type public.tier owner to {any_database.server.user};"
        f" alter domain public.tier_domain owner to {any_database.server.user}"
    )
    any_database.dbt("seed", parse=True)


def test_a_function_of_a_stranger_in_a_view_is_refused(
    any_database: AppDatabase, mallory: Any
) -> None:
    """Also in a view under the view, and behind an operator."""
    mallory(
        "create function public.look(text) returns text language sql as 'select $1';"
        f" grant execute on function public.look to {BUILD_ROLE}"
    )
    any_database.execute(
        "alter table public.user_credits rename to balances;"
        "create view public.balances_seen as select user_id, current_balance, consumed_this_month,"
        " monthly_allowance, public.look(subscription_tier) as subscription_tier from balances;"
        "create view public.user_credits as select * from public.balances_seen;"
        f"grant select on public.user_credits, public.balances_seen to {BUILD_ROLE}"
    )
    refused(
        any_database,
        "view public.balances_seen calls function public.look(text), whose owner mallory",
    )
    any_database.execute(f"alter function public.look owner to {any_database.server.user}")
    any_database.dbt("seed", parse=True)


def test_a_stranger_who_may_create_in_our_schemas_is_refused(
    any_database: AppDatabase, mallory: Any
) -> None:
    """As is one who owns one of them."""
    mallory("select 1")
    any_database.execute(f"grant create on schema analytics_staging to {MALLORY}")
    refused(any_database, f"role {MALLORY} may create objects in schema analytics_staging")
    any_database.execute(
        f"revoke create on schema analytics_staging from {MALLORY};"
        f"alter schema analytics_staging owner to {MALLORY};"
        f"grant all on schema analytics_staging to {BUILD_ROLE}"
    )
    refused(any_database, f"role {MALLORY} owns schema analytics_staging")


def test_strangers_who_may_create_in_the_apps_schema_are_named(
    any_database: AppDatabase, mallory: Any
) -> None:
    """In one line of the run's output."""
    mallory("select 1")
    any_database.execute("grant create on schema public to public")
    said: list[str] = []
    any_database.dbt("seed")
    result = invoke(
        ["run", "--select", "stg_app__user_credits"],
        parsed_project(),
        [lambda event: said.append(event.info.msg)],
    )
    assert result.success
    (line,) = [text for text in said if "may create objects in schema public" in text]
    assert f"PUBLIC, {MALLORY}" in line
