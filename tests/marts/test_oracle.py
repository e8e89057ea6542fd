"""Marts equal the oracle, row by row and to the digit."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.app_database import AppDatabase
from tests.histories import load, write_histories
from tests.marts.comparison import assert_marts_equal
from tests.oracle import Options, answers
from tests.table_shapes import loosen

# Month ends, both changes of the clocks in New York, Auckland's in April, a leap day, quiet months.
MOMENTS = [
    datetime(2023, 12, 31, 23, 30, tzinfo=UTC),
    datetime(2024, 2, 29, 18, 29, tzinfo=UTC),
    datetime(2024, 3, 10, 7, 0, tzinfo=UTC),
    datetime(2024, 4, 6, 14, 0, tzinfo=UTC),
    datetime(2024, 7, 1, 4, 0, tzinfo=UTC),
    datetime(2024, 11, 3, 6, 0, tzinfo=UTC),
    datetime(2024, 11, 30, 12, 0, tzinfo=UTC),
]
LAST = MOMENTS[-1]
CASES = {
    "defaults": Options(as_of=LAST + timedelta(hours=60)),
    "new_york_task_costs": Options(
        as_of=LAST, reporting_timezone="America/New_York", vendor_cost_basis="task"
    ),
    "kolkata_failures_billed": Options(
        as_of=datetime(2024, 7, 2, 18, 30, tzinfo=UTC),
        reporting_timezone="Asia/Kolkata",
        vendor_cost_basis="list",
        failed_generations_are_billed=True,
        stuck_after_minutes=0,
    ),
    "auckland_narrow_windows": Options(
        as_of=datetime(2025, 1, 31, 11, 0, tzinfo=UTC),
        reporting_timezone="Pacific/Auckland",
        credit_price_usd=Decimal("0.031"),
        cost_tolerance_usd=Decimal("0"),
        shadow_charge_window_seconds=60,
        refund_window_hours=1,
        credit_breakage_months=4,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_random_histories(database: AppDatabase, case: str) -> None:
    """Seven histories around seven moments, under one set of options."""
    options = CASES[case]
    tables = write_histories(list(CASES).index(case), MOMENTS)
    loosen(database)
    load(database, tables)
    database.dbt("seed")
    database.dbt("run", variables=options.dbt_variables(), reports=True)
    assert_marts_equal(database, answers(tables, options))
