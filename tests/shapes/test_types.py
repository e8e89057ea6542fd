"""Columns of the app in other types: read exactly, or refused by name before anything is built."""

import json
import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_postgres.server import Server
from tests.app_database import PROJECT, AppDatabase, messages
from tests.cases.test_cases import CASES, Runner, edit_project, make_case_database

REFUSED = {
    "times_as_text": ("credit_transactions", "created_at", "text", "created_at::text"),
    "times_as_dates": ("enhancement_tasks", "updated_at", "date", "updated_at::date"),
    "times_as_seconds": (
        *("enhancement_tasks", "created_at", "double precision"),
        "extract(epoch from created_at)",
    ),
    "times_of_a_day": ("enhancement_tasks", "created_at", "time", "created_at::time"),
    "credits_as_text": ("credit_transactions", "credits_used", "text", "credits_used::text"),
    "costs_as_text": ("enhancement_tasks", "cost_usd", "character varying", "cost_usd::text"),
    "balances_as_json": ("user_credits", "current_balance", "jsonb", "to_jsonb(current_balance)"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(database: AppDatabase, name: str) -> None:
    """Table, column, type and the line to write; nothing is built."""
    table, column, type_name, expression = REFUSED[name]
    database.execute(
        f"alter table {table} alter {column} drop default;"
        f"alter table {table} alter {column} type {type_name} using {expression}"
    )
    result = database.dbt("run", expect_success=False)
    said = messages(result)
    assert not result.success
    line = f"columns of {table}, for example\n        {column}: {{expression: "
    for expected in (
        f"public.{table}",
        f"column {column} ",
        "in mapping/app.yml, under meta, ",
        line,
    ):
        assert expected in said
    assert re.search(f"has type {type_name}", said)
    assert database.query(
        "select count(*) as relations from pg_class"
        " where relnamespace::regnamespace::text like 'analytics%' and relkind in ('r', 'v')"
    ) == [{"relations": 0}]


@pytest.mark.long
@pytest.mark.parametrize("name", ["created_at_epoch_ms", "created_at_text", "created_at_date"])
def test_the_line_that_a_refusal_prints_is_the_remedy(
    server: Server, tmp_path: Path, name: str
) -> None:
    """Each refusal's line, put where it says, leads to the case's numbers in the end."""
    case = json.loads((CASES / name / "case.json").read_text())
    database = make_case_database(server, name, case)
    result = database.dbt("run", variables=case["vars"], expect_success=False)
    lines = re.findall(
        r"in mapping/app\.yml, under meta, columns of (\w+), for example\s+(\w+): (\{.*\})",
        messages(result),
    )
    assert len(lines) >= 2
    for step in case["steps"]:
        step.pop("or")

    def edit(project: Path) -> None:
        tables: dict[str, dict[str, Any]] = {}
        for table, column, line in lines:
            tables.setdefault(table, {})[column] = yaml.safe_load(line)
        source = {
            "name": "app",
            "overrides": "paygen",
            "tables": [
                {"name": table, "meta": {"columns": columns}} for table, columns in tables.items()
            ],
        }
        (project / "mapping").mkdir(exist_ok=True)
        (project / "mapping" / "app.yml").write_text(
            yaml.safe_dump({"version": 2, "sources": [source]})
        )

    with ExitStack() as stack:
        edit_project(edit, tmp_path, stack)
        Runner(database, case, is_edited=True).run()


@pytest.mark.long
def test_the_view_that_the_docs_offer_for_ids_of_the_vendor(server: Server) -> None:
    """With it the case has its numbers; without it the run stops and writes no generation."""
    case = json.loads((CASES / "request_id_of_the_vendor" / "case.json").read_text())
    database = make_case_database(server, "request_id_of_the_vendor", case)
    result = database.dbt("build", variables=case["vars"], expect_success=False)
    assert "docs/operations.md" in messages(result)
    assert database.query("select to_regclass('analytics.fct_generations')::text as facts") == [
        {"facts": None}
    ]
    operations = (PROJECT / "docs" / "operations.md").read_text()
    database.execute(re.search(r"create view public\.paygen_ledger.*?;", operations, re.S)[0])
    database.execute("grant select on public.paygen_ledger to paygen")
    case["vars"]["credit_transactions_table"] = "paygen_ledger"
    for step in case["steps"]:
        del step["or"], step["args"]
    Runner(database, case).run()
