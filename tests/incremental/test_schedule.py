"""What a scheduler is given: selections, advice on indexes, runs that do no more than they must."""

import json
import os
import subprocess
import sys

import pytest

from tests.app_database import PROJECT, AppDatabase, invoke, parsed_project, profiles_directory
from tests.incremental.conftest import AS_OF, ZONE, change_one_charge
from tests.incremental.rebuild import assert_equals_rebuild, run

MONTHLY = ["monthly_usage", "monthly_cost", "monthly_success_rate", "monthly_provider_breakdown"]


def selected(selector: str) -> dict[str, set[str]]:
    """The names of what a selector builds, by kind."""
    manifest = parsed_project()
    result = invoke(["ls", "--quiet", "--selector", selector, "--output", "json"], manifest)
    names: dict[str, set[str]] = {}
    for line in result.result:
        node = json.loads(line)
        names.setdefault(node["resource_type"], set()).add(node["name"])
    return names


def test_selectors_name_the_runs() -> None:
    """Minutes apart: SQL marts and the check of the window; nightly: everything but unit tests."""
    models = {
        node.name: node
        for node in parsed_project().nodes.values()
        if node.resource_type == "model" and node.package_name == "paygen"
    }
    frequent, daily = selected("frequent"), selected("daily")
    assert set(frequent) == {"model", "test"}
    assert frequent["test"] == {"assert_window_equals_source"}
    assert all(models[name].language == "sql" for name in frequent["model"])
    assert not any({"python", "nightly"} & set(models[name].tags) for name in frequent["model"])
    assert {"fct_generations", "daily_usage", "dashboard_overview", *MONTHLY} <= frequent["model"]
    staging = {name for name in models if "staging" in models[name].fqn}
    # The vendor's statement comes once a month.
    assert staging - frequent["model"] == {"stg_app__vendor_billing"}
    assert daily["model"] == set(models)
    assert {"model", "seed", "test"} <= set(daily)
    assert "unit_test" not in daily
    assert selected("weekly") == daily


@pytest.mark.long
def test_a_frequent_run_does_not_load_pandas(built: AppDatabase) -> None:
    variables = {"as_of": AS_OF.isoformat(), "reporting_timezone": ZONE}
    command = [
        *("--quiet", "build", "--selector", "frequent", "--project-dir", str(PROJECT)),
        *("--profiles-dir", str(profiles_directory())),
        *("--vars", json.dumps(variables)),
    ]
    program = (
        "import sys; from dbt.cli.main import dbtRunner; "
        f"done = dbtRunner().invoke({command!r}); "
        "print(done.success, sorted({'pandas', 'pyarrow', 'numpy'} & set(sys.modules)))"
    )
    output = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **built.environment()},
    ).stdout
    assert output.splitlines()[-1] == "True []"


def test_monthly_tables_are_written_for_the_months_that_changed(built: AppDatabase) -> None:
    def versions() -> dict[str, set[tuple]]:
        return {
            table: {
                (row["month_start"], row["version"])
                for row in built.query(
                    f"select month_start, cast(xmin as text) as version from analytics.{table}"
                )
            }
            for table in MONTHLY
        }

    run(built, AS_OF, ZONE, "--selector", "frequent")
    before = versions()
    change_one_charge(built)
    run(built, AS_OF, ZONE, "--selector", "frequent")
    for table, rows in versions().items():
        assert len({month for month, _ in rows}) > 1
        assert len({month for month, _ in rows - before[table]}) <= 1, table
    assert_equals_rebuild(built, AS_OF, ZONE)


def test_statistics_are_fresh_after_a_build(built: AppDatabase) -> None:
    """Of each table of the project that holds rows."""
    stale = built.query(
        """select relname from pg_stat_user_tables
           where schemaname in ('analytics_intermediate', 'analytics_seeds')
               and n_live_tup > 0 and last_analyze is null"""
    )
    assert stale == []
    (facts,) = built.query(
        "select last_analyze from pg_stat_user_tables where relname = 'fct_generations'"
    )
    assert facts["last_analyze"] is not None


def test_advice_on_indexes_is_printed_and_not_acted_upon(
    built: AppDatabase, capsys: pytest.CaptureFixture
) -> None:
    indexes = "select indexdef from pg_indexes where schemaname = 'public' order by 1"
    before = built.query(indexes)
    built.dbt("run-operation", "advise_indexes")
    printed = capsys.readouterr().out
    advised = [line for line in printed.splitlines() if line.startswith("create index")]
    assert [line.split(" on ")[1] for line in advised] == [
        '"public"."enhancement_tasks" (created_at);',
        '"public"."credit_transactions" (created_at);',
    ]
    assert built.query(indexes) == before
    for statement in advised:
        built.execute(statement.replace(" concurrently", ""))
    built.dbt("run-operation", "advise_indexes")
    printed = capsys.readouterr().out
    assert printed.count("there is one") == 2
    assert "create index" not in printed
