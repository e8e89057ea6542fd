"""Code that is edited between two runs: what history was made by asks for one full refresh."""

import json
import os
import re
import shutil
from pathlib import Path
from unittest.mock import patch

import pytest

from tests.app_database import BUILD_ROLE, PROJECT, AppDatabase, invoke, messages
from tests.app_rows import AS_OF, charge, task

PARTS = ("macros", "models", "seeds", "dbt_project.yml", "selectors.yml", ".dbtignore")
# Rows and their versions: a run that is refused writes none.
WRITTEN = """
select xmin::text, generations, credits_used from analytics.daily_usage
union all
select xmin::text, 0, 0 from analytics_intermediate.int_run_manifest
order by 1
"""


class Checkout:
    """A copy of the project that a test edits, and a database that it is run on."""

    def __init__(self, database: AppDatabase, folder: Path):
        self.database, self.folder = database, folder
        for part in PARTS:
            copy = shutil.copytree if (PROJECT / part).is_dir() else shutil.copy
            copy(PROJECT / part, folder / part)

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a text that the file has once."""
        text = (self.folder / path).read_text()
        assert text.count(old) == 1, f"{path} has {text.count(old)} times {old}"
        (self.folder / path).write_text(text.replace(old, new))

    def write(self, path: str, text: str) -> None:
        """Write a file of the project."""
        (self.folder / path).write_text(text)

    def run(self, *arguments: str) -> str:
        """What a run said of its failures; nothing where it is green."""
        if "--selector" not in arguments:
            arguments = (*arguments, "--exclude", "tag:python")
        with patch.dict(os.environ, self.database.environment()):
            result = invoke(
                ["run", *arguments, "--vars", json.dumps({"as_of": AS_OF.isoformat()})],
                project=self.folder,
                target=self.folder / "target",
            )
        assert result.success or messages(result)
        return messages(result)


@pytest.fixture
def checkout(database: AppDatabase, tmp_path: Path) -> Checkout:
    """Built once, from two generations."""
    for name in ("one", "two"):
        made = task(name)
        database.insert("enhancement_tasks", made)
        database.insert("credit_transactions", charge(f"of {name}", api_request_id=made["id"]))
    checkout = Checkout(database, tmp_path)
    database.dbt("seed")
    assert checkout.run() == ""
    return checkout


def used(database: AppDatabase) -> int:
    (row,) = database.query("select credits_used from analytics.monthly_usage")
    return row["credits_used"]


def test_changed_rules_ask_for_one_full_refresh(checkout: Checkout) -> None:
    """A macro, a model between, and how a column is read; comments and descriptions ask nothing."""
    database = checkout.database

    def is_refused(*arguments: str) -> None:
        written = database.query(WRITTEN)
        said = checkout.run(*arguments)
        assert "history was built under other settings, nothing was built" in said
        assert "run once with --full-refresh" in said
        assert re.search(r"the SQL of models and macros was \w+ and is \w+", said)
        assert database.query(WRITTEN) == written

    counted = ("macros/generations/usage_measures.sql", "sum(credits_used) as", "sum(7) as")
    checkout.edit(*counted)
    is_refused("--selector", "frequent")
    is_refused()
    assert checkout.run("--full-refresh") == ""
    assert used(database) == 14
    assert checkout.run("--selector", "frequent") == ""

    for path, old, new in (
        ("models/intermediate/generations/int_generations_touched.sql", "\norder by created_at", ""),
        ("models/intermediate/usage/int_usage_by_month.sql", "within group", "within  group\n"),
        ("models/staging/app/_app__sources.yml", "data_type: numeric", "data_type: numeric(9, 4)"),
    ):
        before = (checkout.folder / path).read_text()
        (checkout.folder / path).write_text(before.replace(old, new))
        if new.split() == old.split():
            assert checkout.run("--selector", "frequent") == "", "blanks are no rule"
        else:
            is_refused("--selector", "frequent")
        (checkout.folder / path).write_text(before)

    checkout.write("macros/generations/said.sql", "{# A comment alone. #}\n")
    checkout.edit(counted[0], "{% macro", "{# Another comment. #}\n{% macro")
    checkout.edit(
        "models/intermediate/usage/int_usage_by_month.sql",
        "with usage_by_user",
        "-- Another comment.\nwith usage_by_user",
    )
    checkout.edit("models/marts/monthly/monthly_cost.yml", "One row per month", "One row a month")
    assert checkout.run("--selector", "frequent") == ""
    assert used(database) == 14


@pytest.mark.long
def test_an_incremental_model_needs_no_central_list(checkout: Checkout) -> None:
    """One that says which rows it replaces works in every run; one that does not is an error."""
    database = checkout.database
    path = "models/intermediate/int_days_noted.sql"
    config = """materialized='incremental', incremental_strategy='replace',
        incremental_predicates=["{{ is_in_days('target.usage_date', changed_days()) }}"],"""
    query = """
        -- depends_on: {{ ref('int_days_changed') }}
        select usage_date, generations from {{ ref('daily_usage') }}
        where {{ is_in_days('usage_date', changed_days()) }}
        -- the end, without a newline"""
    checkout.write(path, "{{ config(" + config + ") }}" + query)
    rows = "select * from analytics_intermediate.int_days_noted order by usage_date"
    assert checkout.run("--full-refresh") == ""
    assert [row["generations"] for row in database.query(rows)] == [2]
    later = task("later", created_at=AS_OF.replace(day=18))
    database.insert("enhancement_tasks", later)
    assert checkout.run("--selector", "frequent") == ""
    assert [row["generations"] for row in database.query(rows)] == [2, 1]
    assert checkout.run() == ""
    assert [row["generations"] for row in database.query(rows)] == [2, 1]

    database.execute("drop table analytics_intermediate.int_days_noted", user=BUILD_ROLE)
    checkout.write(path, "{{ config(" + config.split("incremental_predicates")[0] + ") }}" + query)
    said = checkout.run("--full-refresh")
    assert "model int_days_noted has none; nothing was written" in said
    assert "incremental_predicates=['true'] for all" in said
    assert not database.query("select 1 from pg_class where relname = 'int_days_noted'")
