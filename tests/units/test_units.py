"""dbt's unit tests: one for each rule of the contract, beside the model that keeps it."""

from tests.app_database import AppDatabase

RULES = 17


def test_every_unit_test_passes(database: AppDatabase) -> None:
    """The columns of a fixture take the types of the built tables, so these are made first."""
    database.dbt("seed")
    database.dbt("run", "--exclude", "tag:python")
    result = database.dbt("test", "--select", "test_type:unit", unit_tests=True)
    outcomes = [node.status for node in result.result.results]
    assert len(outcomes) >= RULES
    assert set(outcomes) == {"pass"}
