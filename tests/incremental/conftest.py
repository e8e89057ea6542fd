"""An app with a past, built, for tests that change it and run again."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.app_database import AppDatabase
from tests.conftest import make_database
from tests.histories import load, with_keys, write_histories
from tests.incremental.rebuild import run
from tests.table_shapes import loosen

AS_OF = datetime(2025, 3, 1, tzinfo=UTC)
OLD = AS_OF - timedelta(days=60)
ZONE = "America/New_York"


@pytest.fixture(scope="module")
def built(server) -> AppDatabase:
    """An app with an old and a recent history, built; each test leaves it equal to a rebuild."""
    # Under the name that all tests of a process share: dbt's parsed project holds it.
    database = make_database(server)
    loosen(database, keyed=True)
    moments = [OLD, OLD + timedelta(days=9), AS_OF - timedelta(days=1)]
    load(database, with_keys(write_histories(7, moments)))
    run(database, AS_OF, ZONE, "--exclude", "test_type:unit", "test_type:data")
    return database


def change_one_charge(database: AppDatabase) -> None:
    """A completed generation of the window costs otherwise than it did."""
    database.execute(
        """update credit_transactions set cost_usd = cost_usd + 0.77 where id = (
               select id from credit_transactions
               where created_at > %s and created_at < %s and cost_usd > 0
                   and transaction_type = 'deduction' and user_id is not null
               order by id limit 1)""",
        [AS_OF - timedelta(days=2), AS_OF],
    )
