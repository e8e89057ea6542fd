"""A statement matched with the app's calls, against an answer worked out without SQL."""

from datetime import datetime
from pathlib import Path
from random import Random

import pytest

from statement.__main__ import main
from tests.app_database import AppDatabase
from tests.oracle.statement import Rules
from tests.statement.comparison import assert_matches
from tests.statement.drawn import START, batches, draw, load_app, make_table, write_csv

RULES = Rules(zone="Europe/Berlin")
AS_OF = datetime(2024, 7, 1, tzinfo=START.tzinfo)
VARIABLES = {"as_of": AS_OF.isoformat(), "reporting_timezone": RULES.zone}
MATCHED = ["int_vendor_lines", "generation_match", "monthly_vendor_reconciliation", "vendor_claims"]
# A run needs all that its predecessors keep.
KEPT = [
    "int_statement_files", "int_balances", "int_users_by_first_month", "int_usage_by_user_month",
    "int_usage_by_month",
]  # fmt: skip
STATUSES = {
    "agrees", "amount_differs", "app_cost_unknown", "failed_billed", "billed_twice", "only_vendor",
    "unknown_model", "only_app", "provisional", "refunded_by_vendor", "refund_without_charge",
    "superseded",
}  # fmt: skip


def run(database: AppDatabase, *options: str, models: list[str] | None = None) -> None:
    """One nightly run of what the statement's marts are made of, or of some models."""
    models = models or [f"+{name}" for name in (*MATCHED, *KEPT)]
    database.dbt("run", "--select", *models, *options, variables=VARIABLES, reports=True)


def load(database: AppDatabase, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """`python -m statement` as the role that builds."""
    for name, value in database.environment().items():
        monkeypatch.setenv(name, value)
    return main(list(arguments))


def test_files_that_come_one_after_another(
    database: AppDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a statement nothing is matched; then each run has the oracle's answer, as a rebuild."""
    history = draw(1, 400)
    load_app(database, history)
    database.dbt("seed")
    run(database)
    assert database.query("select * from analytics.generation_match") == []
    found: set[str] = set()
    for number, keys in enumerate(batches(history, Random(1), 3)):
        arrived = history.part(keys)
        folder = tmp_path / str(number)
        folder.mkdir()
        write_csv(folder / f"{number}.csv", arrived.written)
        assert load(database, monkeypatch, str(folder)) == 0
        run(database, models=MATCHED)
        found |= assert_matches(database, arrived.generations, arrived.lines, RULES)
    assert found >= STATUSES
    before = database.query(
        "select to_jsonb(generation_match) - 'change_number' as row"
        " from analytics.generation_match order by match_id"
    )
    run(database, "--full-refresh", models=MATCHED)
    assert before == database.query(
        "select to_jsonb(generation_match) - 'change_number' as row"
        " from analytics.generation_match order by match_id"
    )


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 8))
def test_a_table_that_changes(database: AppDatabase, seed: int) -> None:
    """Lines come and go in a table, generations come late: incremental runs equal the oracle."""
    random = Random(seed)
    history = draw(seed, 300)
    load_app(database, history)
    database.dbt("seed")
    for keys in [*batches(history, random, 3), set(list(batches(history, random, 3))[1])]:
        arrived = history.part(keys)
        make_table(database, arrived)
        run(database)
        assert_matches(database, arrived.generations, arrived.lines, RULES)
    run(database, "--full-refresh")
    assert_matches(database, arrived.generations, arrived.lines, RULES)
