"""dbt's unit tests: one for each rule of the contract, beside the model that keeps it."""

from tests.app_database import AppDatabase, parsed_project

FEWEST = 79


def test_every_unit_test_passes(database: AppDatabase) -> None:
    """Fixtures take their columns' types from the built tables, so these are made first."""
    database.dbt("seed")
    database.dbt("run", reports=True)
    result = database.dbt("test", "--select", "test_type:unit", unit_tests=True)
    passed = {node.node.unique_id for node in result.result.results if node.status == "pass"}
    assert passed == set(parsed_project().unit_tests)
    assert len(passed) >= FEWEST
