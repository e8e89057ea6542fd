"""Databases of several histories, with their marts."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from demo.generator import History, generate
from local_postgres.databases import create_database
from local_postgres.server import Server
from tests import sample
from tests.app_database import BUILD_ROLE, AppDatabase, database_name
from tests.conftest import make_database
from tests.dashboard.serving import let_read
from tests.histories import load, load_rows, write_histories
from tests.table_shapes import loosen

AS_OF = datetime(2024, 12, 4, 15, 30, tzinfo=UTC)


def load_demo(database: AppDatabase, seed: int, generations: int = 3000) -> None:
    """Fill the app's tables with the demo's history of four months."""
    with database.connect() as connection:
        generate(connection, History(AS_OF, generations, months=4, seed=seed))


def load_sample(database: AppDatabase) -> None:
    """Fill the app's tables with the contract's sample."""
    if not sample.FOLDER.is_dir():
        pytest.skip(f"the sample is not at {sample.FOLDER}")
    load(database, sample.app_tables())
    load_rows(database, "system_alerts", sample.rows("system_alerts"))
    bill(database)


def load_nasty(database: AppDatabase) -> None:
    """Fill the app's tables with every defect that they are known for."""
    loosen(database)
    moments = [AS_OF - timedelta(days=days) for days in (2, 30, 33, 63)]
    load(database, write_histories(11, moments))


def bill(database: AppDatabase) -> None:
    """A statement for the tasks: some cost too much, and some that failed are charged."""
    database.execute(
        f"""
        create table vendor_billing as
        select
            id::text as prediction_id, 'deduct' as state, 'bytedance/seedream-v4' as model,
            case when status = 'failed' then 0.027 else 0.0385 end as price_usd,
            created_at + interval '40 seconds' as billed_at
        from enhancement_tasks
        where status in ('completed', 'failed') and right(id::text, 1) <> '0';
        insert into vendor_billing
        select prediction_id, 'refund', model, price_usd, billed_at + interval '20 days'
        from vendor_billing
        where right(prediction_id, 1) = '1' and price_usd < 0.03;
        grant select on vendor_billing to {BUILD_ROLE}
        """
    )


HISTORIES: dict[str, Callable[[AppDatabase], None]] = {
    "sample": load_sample,
    "seed 2": lambda database: load_demo(database, 2),
    "seed 3": lambda database: load_demo(database, 3),
    "nasty": load_nasty,
}


def keep_as(database: AppDatabase, purpose: str) -> AppDatabase:
    """Rename a database that is built, so that the next test's does not take its place."""
    name = database_name(purpose)
    maintenance = AppDatabase(database.server, "postgres")
    maintenance.execute(f"drop database if exists {name} with (force)")
    maintenance.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [database.name]
    )
    maintenance.execute(f"alter database {database.name} rename to {name}")
    return AppDatabase(database.server, name)


def build(
    database: AppDatabase,
    python_models: bool = False,
    reports: bool = False,
    **variables: object,
) -> AppDatabase:
    """Build the marts and let the reader read them."""
    variables = {"as_of": AS_OF.isoformat(), **variables}
    database.dbt(
        *("build", "--resource-type", "model", "seed"),
        variables=variables,
        python_models=python_models,
        reports=reports,
    )
    return let_read(database)


@cache
def _without_rows(server: Server) -> AppDatabase:
    return keep_as(build(make_database(server)), "without_rows")


def marts_without_rows(server: Server) -> AppDatabase:
    """A copy of the marts of an app without a row, built once, to be read, spoiled and built."""
    template = _without_rows(server)
    copy = AppDatabase(server, database_name("test"))
    create_database(server, copy.name, f"template {template.name}")
    # A copy has no grants on the database itself; setup/build_role.sql gives this one.
    copy.execute(f"grant temporary on database {copy.name} to {BUILD_ROLE}")
    return copy
