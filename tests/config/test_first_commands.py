"""Each command as the first on a new database: it works, or says what to run before."""

from pathlib import Path

import pytest

from tests.app_database import BUILD_ROLE, AppDatabase, messages, parsed_project
from tests.app_rows import AS_OF, charge, task


def relations(database: AppDatabase) -> list[dict]:
    """What stands in our schemas."""
    return database.query(
        "select relname from pg_class where relnamespace::regnamespace::text like 'analytics%'"
    )


@pytest.mark.parametrize("command", [("build", "--selector", "frequent"), ("test",)])
def test_a_selection_of_what_was_never_built(database: AppDatabase, command: tuple) -> None:
    """Refused before anything is built; after `dbt build` it runs."""
    said = messages(database.dbt(*command, expect_success=False))
    assert "no run has built yet" in said
    assert "run `dbt build` once" in said
    assert relations(database) == []


def test_what_was_never_built_is_deferred(database: AppDatabase, tmp_path: Path) -> None:
    """`--defer` reads what a state has in its place, so nothing is missing."""
    parsed_project().write(str(tmp_path / "manifest.json"))
    defer = ("--defer", "--favor-state", "--state", str(tmp_path))
    selected = ("build", "--select", "monthly_cost", "--exclude-resource-type", "test")
    result = database.dbt(*selected, *defer, expect_success=False)
    assert "no run has built yet" not in f"{result.exception}{messages(result)}"


def test_seeds_make_their_schema(database: AppDatabase) -> None:
    """A role that may create schemas needs none made for it; another is told so."""
    for schema in ("", "_staging", "_intermediate", "_seeds"):
        database.execute(f"drop schema analytics{schema}")
    said = str(database.dbt("seed", expect_success=False).exception)
    assert "there is no schema analytics_seeds in database" in said
    assert "setup/build_role.sql" in said
    database.execute(f"grant create on database {database.name} to {BUILD_ROLE}")
    database.dbt("seed")
    assert relations(database)
    database.dbt("run", variables={"as_of": AS_OF.isoformat()})


def test_models_are_compiled_before_they_are_built(database: AppDatabase) -> None:
    """As an IDE, `dbt show` and `dbt docs generate` do."""
    database.dbt("compile")
    assert relations(database) == []


def freshness(database: AppDatabase, **options: object) -> dict[str, str]:
    """What `dbt source freshness` says of each table."""
    result = database.dbt("source", "freshness", expect_success=False, **options)
    assert result.exception is None, result.exception
    sources = [each for each in result.result.results if each.node.resource_type == "source"]
    return {each.node.name: str(each.status) for each in sources}


def test_freshness_tells_whether_the_app_writes(database: AppDatabase) -> None:
    """Old rows are an error, future ones say nothing; other columns serve where one is missing."""
    database.insert("enhancement_tasks", task(), task("future", created_at="infinity"))
    database.insert("credit_transactions", charge())
    stale = {"enhancement_tasks": "error", "credit_transactions": "error"}
    assert freshness(database) == stale
    database.execute("alter table credit_transactions alter created_at type timestamp")
    database.execute(
        "insert into credit_transactions (transaction_type, credits_used, created_at)"
        " values ('refund', 1, now() at time zone 'UTC' - interval '4 days')"
    )
    assert freshness(database) == stale | {"credit_transactions": "warn"}
    database.execute(
        "alter table enhancement_tasks drop created_at;"
        "update enhancement_tasks set updated_at = now() - interval '1 hour'"
    )
    assert freshness(database)["enhancement_tasks"] == "pass"
    database.execute("alter table enhancement_tasks drop updated_at")
    assert freshness(database)["enhancement_tasks"] == "runtime error"
