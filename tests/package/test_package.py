"""Another team's dbt project installs this one, as README.md says, and gets right figures."""

import os
import subprocess
from pathlib import Path

import psycopg2.extras
import pytest
import yaml

from local_postgres.server import Server
from tests.app_database import PROJECT, AppDatabase
from tests.conftest import make_database
from tests.docs.documents import Snippet, snippets_of
from tests.histories import load, write_histories
from tests.marts.comparison import assert_marts_equal
from tests.marts.test_oracle import CASES, MOMENTS
from tests.oracle import answers
from tests.table_shapes import loosen

pytestmark = pytest.mark.long
DBT = str(PROJECT / ".venv" / "bin" / "dbt")
OWN_MODELS = {
    "credits": "{{ config(materialized='table') }}\n"
    "select month_start, credits_used from {{ ref('paygen', 'monthly_usage') }}",
    "credits_kept": "{{ config(materialized='incremental') }}\nselect * from {{ ref('credits') }}\n"
    "{% if is_incremental() %}where false{% endif %}",
    "credits_seen": "select * from {{ ref('credits_kept') }}",
}


def snippets() -> list[Snippet]:
    """What README.md has a reader copy."""
    return [each for each in snippets_of("README.md") if each.section == "In your own dbt project"]


def write_project(folder: Path, database: AppDatabase) -> None:
    """README's files as written but for the path, with variables and models of the team's own."""
    packages, settings, override = (each.text for each in snippets() if each.language != "sh")
    (folder / "packages.yml").write_text(packages.replace("../paygen", str(PROJECT)))
    options = CASES["auckland_narrow_windows"].dbt_variables()
    project = yaml.safe_load(settings.replace("your_project", "shop")) | {
        **{"name": "shop", "version": "1.0.0", "config-version": 2, "profile": "shop"},
        "vars": {"of_the_shop": 1, "paygen": options},
    }
    project["models"] = {"shop": {"+persist_docs": {"relation": True, "columns": True}}}
    # JSON is YAML, and knows how to write decimals.
    (folder / "dbt_project.yml").write_text(psycopg2.extras.json.dumps(project, default=float))
    profile = yaml.safe_load((PROJECT / "profiles.yml.example").read_text())["paygen"]
    (folder / "profiles.yml").write_text(yaml.safe_dump({"shop": profile}))
    for name in ("models", "macros"):
        (folder / name).mkdir()
    for name, text in OWN_MODELS.items():
        (folder / "models" / f"{name}.sql").write_text(text)
    described = [{"name": name, "description": f"Of {name}."} for name in OWN_MODELS]
    (folder / "models" / "models.yml").write_text(yaml.safe_dump({"models": described}))
    (folder / "macros" / "override.sql").write_text(override)


def test_a_project_that_installs_this_one(server: Server, tmp_path: Path) -> None:
    """Its variables, schemas, Python models, macros and tests; one macro of its own; twice."""
    options = CASES["auckland_narrow_windows"]
    database = make_database(server, "package")
    loosen(database)
    tables = write_histories(5, MOMENTS)
    load(database, tables)
    write_project(tmp_path, database)
    environment = {
        **os.environ,
        **database.environment(),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "0",
        "DBT_EXCLUDE_RESOURCE_TYPES": "",
    }

    def dbt(*arguments: str) -> str:
        done = subprocess.run(
            [DBT, "--no-use-colors", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    commands = [
        line.split(" dbt ", 1)[-1].removeprefix("dbt ").split()
        for each in snippets()
        if each.language == "sh"
        for line in each.text.splitlines()
        if "dbt " in line
    ]
    assert [command[0] for command in commands] == ["deps", "build"]
    dbt(*commands[0])
    (tmp_path / "selectors.yml").write_text((PROJECT / "selectors.yml").read_text())
    said = dbt(*commands[1])
    assert "is no variable of paygen" not in said
    expected = answers(tables, options)
    for rows in expected.values():
        for row in rows:
            if row.get("error_message"):
                row["error_message"] = "withheld by the shop"
    assert_marts_equal(database, expected)
    assert database.query("select 1 from analytics.usage_anomalies limit 1")
    assert database.query("select obj_description('analytics.credits_seen'::regclass) as text") == [
        {"text": "Of credits_seen."}
    ]
    months = database.query("select count(*) from analytics.monthly_usage")[0]["count"]
    dbt("build", "--selector", "frequent", "--quiet")
    dbt("build", "--select", "shop", "--quiet")
    dbt("source", "freshness", "--select", "source:app.user_credits")
    dbt("run-operation", "reconcile")
    assert_marts_equal(database, expected)
    assert database.query("select count(*) from analytics.credits_kept")[0]["count"] == months
    runs = database.query("select selector, status from analytics.run_history order by started_at")
    assert [(each["selector"], each["status"]) for each in runs][:2] == [
        ("daily", "succeeded"),
        ("frequent", "succeeded"),
    ]
