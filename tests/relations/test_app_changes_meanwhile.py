"""The app migrates, swaps and empties its tables in the middle of a run, between two models."""

import json
import os
from typing import Any
from unittest.mock import patch

import psycopg2
import pytest

from tests.app_database import BUILD_ROLE, AppDatabase, invoke, messages, parsed_project
from tests.incremental.conftest import AS_OF, ZONE, change_one_charge
from tests.incremental.rebuild import assert_equals_rebuild, run
from tests.relations.test_readers import Reader

SWAP = f"""
create table {{0}}_new (like {{0}} including all);
insert into {{0}}_new select * from {{0}};
drop table {{0}};
alter table {{0}}_new rename to {{0}};
grant select on {{0}} to {BUILD_ROLE};
"""
RESTORE = """
create temporary table saved as select * from {0};
truncate {0};
insert into {0} select * from saved;
drop table saved;
"""
LATE = "int_generations_touched"  # the last that reads tasks


class Migration:
    """Statements of the app, each run when a model has ended; listens to what dbt says."""

    def __init__(self, database: AppDatabase, statements: dict[str, str]):
        self.database, self.waiting = database, dict(statements)
        self.problems: list[str] = []

    def __call__(self, event: Any) -> None:
        """Act where a model has ended that something waits for."""
        if event.info.name != "NodeFinished":
            return
        statements = self.waiting.pop(event.data.node_info.node_name, None)
        if statements:
            try:
                self.database.execute(f"set lock_timeout = '3s'; {statements}")
            except psycopg2.Error as error:
                self.problems.append(str(error))


def run_with(database: AppDatabase, statements: dict[str, str], *arguments: str) -> str:
    """A run in which the app does that; what it says of its failures, nothing where it is green."""
    migration = Migration(database, statements)
    variables = json.dumps({"as_of": AS_OF.isoformat(), "reporting_timezone": ZONE})
    with patch.dict(os.environ, database.environment()):
        result = invoke(
            ["build", *arguments, "--vars", variables],
            parsed_project(),
            callbacks=[migration],
            debug=True,  # `NodeFinished` is one
        )
    assert migration.waiting == {}, "it happened in the middle of the run"
    assert migration.problems == [], "the app was never kept waiting"
    assert result.success or messages(result)
    return messages(result)


@pytest.mark.long
@pytest.mark.parametrize("arguments", [("--selector", "frequent"), ("--exclude", "tag:python")])
def test_the_app_migrates_in_the_middle_of_a_run(
    built: AppDatabase, reader: str, arguments: tuple[str, ...]
) -> None:
    """What goes on is right or ends in a sentence; the next run is right; readers see no gap."""
    built.execute(f"grant pg_read_all_data to {reader}")
    met = Reader(built, reader)
    changes = [
        {
            "int_run_manifest": "alter table enhancement_tasks add column extra text default 'x'",
            "int_ledger_synced": """
                alter table credit_transactions alter column provider type varchar(300);
                alter table enhancement_tasks alter column cost_usd type numeric(20, 8)""",
            LATE: "alter table user_credits add column extra int",
        },
        {
            "int_run_manifest": SWAP.format("enhancement_tasks"),
            "int_ledger_synced": SWAP.format("credit_transactions"),
            LATE: SWAP.format("user_credits"),
        },
        {
            "int_run_manifest": RESTORE.format("credit_transactions"),
            "int_rows_seen": RESTORE.format("enhancement_tasks"),
            LATE: "truncate system_alerts; alter table enhancement_tasks drop column extra",
        },
    ]
    with met.reading():
        for statements in changes:
            change_one_charge(built)
            said = run_with(built, statements, *arguments)
            assert "Traceback" not in said
            run(built, AS_OF, ZONE, *arguments)
    met.assert_met_nothing()
    assert_equals_rebuild(built, AS_OF, ZONE)
    built.execute("alter table user_credits drop column extra")


def test_a_column_that_goes_in_the_middle_of_a_run(built: AppDatabase) -> None:
    """A required one, or a table: the run ends in a sentence, and the next one says which."""
    change_one_charge(built)
    before = built.query("select * from analytics.fct_generations order by generation_id")
    said = run_with(
        built,
        {"int_run_manifest": "alter table credit_transactions rename credits_used to credits"},
        *("--selector", "frequent"),
    )
    assert "credits_used" in said
    after = built.query("select * from analytics.fct_generations order by generation_id")
    assert after == before
    result = built.dbt("build", "--selector", "frequent", expect_success=False)
    assert "table public.credit_transactions has no column credits_used" in messages(result)
    built.execute("alter table credit_transactions rename column credits to credits_used")
    run(built, AS_OF, ZONE, "--selector", "frequent")
    assert_equals_rebuild(built, AS_OF, ZONE)


@pytest.mark.long
def test_tables_that_are_emptied_in_the_middle_of_a_run(built: AppDatabase) -> None:
    """The run sees some of it; the next nightly run is exact."""
    change_one_charge(built)
    run_with(built, {"int_ledger_synced": "truncate enhancement_tasks"}, "--exclude", "tag:python")
    run(built, AS_OF, ZONE, "--exclude", "tag:python")
    assert_equals_rebuild(built, AS_OF, ZONE)


@pytest.mark.long
def test_a_task_that_goes_after_the_run_has_seen_it(built: AppDatabase) -> None:
    """The run ends green without it. One that we lose while the app has it is still found."""
    task = "00000000-0000-4000-8000-00000000dead"
    insert = f"""
        insert into enhancement_tasks (id, enhancement_type, status, created_at, updated_at)
        values ('{task}', 'image_gen', 'completed', timestamptz '{AS_OF}' - interval '1 hour',
            timestamptz '{AS_OF}' - interval '1 hour')"""
    delete = f"delete from enhancement_tasks where id = '{task}'"
    built.execute(insert)
    assert run_with(built, {"int_rows_seen": delete}, "--selector", "frequent") == ""
    run(built, AS_OF, ZONE, "--selector", "frequent")
    assert_equals_rebuild(built, AS_OF, ZONE)
    built.execute(insert)
    lose = f"delete from analytics.fct_generations where generation_id = '{task}'"
    said = run_with(built, {"fct_generations": lose}, "--selector", "frequent")
    assert "assert_window_equals_source" in said
    built.execute(delete)
    run(built, AS_OF, ZONE, "--selector", "frequent")
    assert_equals_rebuild(built, AS_OF, ZONE)
