"""Columns of the app in other types: read exactly, or refused by name before anything is built."""

import json
import re
import shutil
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from inspect_app import catalogue, columns
from inspect_app.samples import Sampler
from local_postgres import server as embedded
from local_postgres.server import Server
from tests.app_database import PROJECT, AppDatabase, messages
from tests.cases.test_cases import CASES, Runner, edit_project, make_case_database
from tests.conftest import make_database
from tests.inspecting import shapes

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
def test_a_time_of_a_day_is_read_with_the_day_beside_it(database: AppDatabase) -> None:
    """The refusal's line can be read as it is, and so can that of JSON."""
    database.execute(
        "alter table enhancement_tasks add day date default '2024-05-15';"
        "alter table enhancement_tasks alter created_at drop default;"
        "alter table enhancement_tasks alter created_at type time using created_at::time;"
        "alter table user_credits alter current_balance drop default;"
        "alter table user_credits alter current_balance type json using to_json(current_balance);"
        "insert into enhancement_tasks (id, user_id, enhancement_type, status, created_at)"
        " values (gen_random_uuid(), gen_random_uuid(), 'face', 'completed', '12:30');"
        "insert into user_credits (user_id, current_balance, subscription_tier)"
        " values (gen_random_uuid(), '12.5', 'free')"
    )
    said = messages(database.dbt("run", expect_success=False))
    found = re.findall(r"for example\s+\w+: \{expression: (\".*\")\}", said)
    read = {json.loads(each) for each in found}
    assert read == {
        "(day + created_at) at time zone 'UTC'",
        "cast((current_balance #>> '{}') as numeric)",
    }
    [row] = database.query(
        "select (day + created_at) at time zone 'UTC' as at,"
        " (select cast((current_balance #>> '{}') as numeric) from user_credits) as balance"
        " from enhancement_tasks"
    )
    assert (str(row["at"]), str(row["balance"])) == ("2024-05-15 12:30:00+00:00", "12.5")


@pytest.mark.long
@pytest.mark.skipif(not shutil.which("localedef"), reason="no locale can be made")
def test_money_that_is_not_kept_in_hundredths_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A session that reads all money alike would take yen for hundredths of one."""
    locales = Path(tempfile.mkdtemp(prefix="paygen-locales-"))
    for name in ("ja_JP", "en_US"):
        made = [*("localedef", "-i", name, "-f", "UTF-8"), str(locales / f"{name}.UTF-8")]
        subprocess.run(made, check=True)
    locales.chmod(0o755)
    monkeypatch.setenv("LOCPATH", str(locales))
    folder = locales / "server"
    try:
        server = embedded.start(folder)
        database = make_database(server)
        database.execute(
            f"alter database {database.name} set lc_monetary = 'ja_JP.UTF-8';"
            "set lc_monetary = 'ja_JP.UTF-8';"
            "alter table user_credits alter current_balance drop default;"
            "alter table user_credits alter current_balance type money;"
            "insert into user_credits (user_id, current_balance, subscription_tier)"
            " values (gen_random_uuid(), 7, 'free')"
        )
        said = messages(database.dbt("run", expect_success=False))
        line = "cast(current_balance as numeric) * 100"
        assert "column current_balance of table public.user_credits has type money" in said
        assert f'current_balance: {{expression: "{line}"}}' in said
        with shapes.connected(database) as cursor:
            [table] = [each for each in catalogue.read(cursor) if each.name == "user_credits"]
            sampler = Sampler(cursor, [table])
            assert sampler.values(table, "current_balance") == ["7.00"]
            column = table.columns["current_balance"]
            read = columns.number_line(sampler, table, column, "current_balance", "")
            assert read is not None
            assert read.expression == line
        database.execute(f"alter database {database.name} set lc_monetary = 'en_US.UTF-8'")
        said = messages(database.dbt("run", expect_success=False))
        assert "money" not in said
    finally:
        embedded.stop(folder)
        shutil.rmtree(locales, ignore_errors=True)


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
