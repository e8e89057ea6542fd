"""The Python models through dbt itself, from the app's tables to the marts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app_database import PROJECT, AppDatabase, profiles_directory

AS_OF = "2024-06-15T12:00:00Z"
MODELS = (
    *("cost_forecast", "forecast_accuracy", "usage_anomalies", "failure_reasons"),
    "failures_by_reason_month",
)
HISTORY = """
insert into enhancement_tasks
    (
        id, user_id, provider, status, error_message, cost_usd, enhancement_type, created_at,
        updated_at
    )
select
    gen_random_uuid(),
    md5((number % 7)::text)::uuid,
    provider,
    case when number = 1 then 'failed' else 'completed' end,
    case when number = 1 then 'HTTP 503: upstream unavailable (req ' || md5(day::text) || ')' end,
    0.04,
    'image_gen',
    day + number * interval '1 minute',
    day + number * interval '1 minute' + interval '20 seconds'
from generate_series(timestamptz '2024-01-01 00:00Z', '2024-06-15 00:00Z', '1 day') as day
cross join unnest(array['nanobanana', 'seedream']) as provider
cross join lateral generate_series(
    1,
    case when provider = 'nanobanana' and day = '2024-06-10Z' then 90 else 30 end
        + (extract(doy from day) * 7)::int % 5
) as number
"""
BUILD = ("build", "--indirect-selection", "buildable", "--select", *(f"+{name}" for name in MODELS))


def build(database: AppDatabase, **variables: object) -> None:
    """Build the Python models and all they read; `monthly_budget_usd` is fixed at parse time."""
    database.dbt(*BUILD, variables={"as_of": AS_OF, **variables}, parse=True, python_models=True)


def test_history_to_marts(database: AppDatabase) -> None:
    """Half a year gives forecasts, their accuracy, the planted spike, the cause of failures."""
    database.execute(HISTORY)
    build(database, monthly_budget_usd=40)

    forecasts = database.query(
        "select * from analytics.cost_forecast where provider = 'all' order by month_start"
    )
    assert [str(row["month_start"]) for row in forecasts] == [
        "2024-06-01",
        "2024-07-01",
        "2024-08-01",
    ]
    this_month = forecasts[0]
    (actual,) = database.query(
        "select sum(vendor_cost_usd) as spent from analytics.daily_usage"
        " where usage_date >= '2024-06-01'"
    )
    assert this_month["vendor_cost_to_date_usd"] == actual["spent"]
    pace = float(actual["spent"]) / 14.5 * 30
    assert float(this_month["vendor_cost_at_current_pace_usd"]) == pytest.approx(pace, abs=1e-4)
    for row in forecasts:
        assert row["forecast_status"] == "ok"
        bounds = [row[f"vendor_cost_{end}_usd"] for end in ("lower_95", "lower_80")]
        bounds += [row["vendor_cost_usd"]]
        bounds += [row[f"vendor_cost_{end}_usd"] for end in ("upper_80", "upper_95")]
        assert bounds == sorted(bounds)
        assert row["monthly_budget_usd"] == 40
        assert row["budget_passed_on"].replace(day=1) == row["month_start"]

    unused = database.query("select * from analytics.cost_forecast where provider = 'wan'")
    assert {row["forecast_status"] for row in unused} == {"not_enough_data"}
    assert {row["vendor_cost_usd"] for row in unused} == {None}

    spikes = database.query(
        "select usage_date::text, provider, measure, direction, severity"
        " from analytics.usage_anomalies where severity in ('warning', 'critical')"
        " order by measure"
    )
    assert [tuple(row.values()) for row in spikes] == [
        ("2024-06-10", "nanobanana", measure, "high", "critical")
        for measure in ("generations", "vendor_cost_usd")
    ]

    (reason,) = database.query("select * from analytics.failure_reasons")
    assert reason["normalised_message"] == "http 503 upstream unavailable <text>"
    assert reason["category"] == "provider_unavailable"
    assert reason["failed_generations"] == 2 * 167
    assert (reason["users"], reason["refunded_share"]) == (1, 0)
    assert (reason["last_seen_at"] - reason["first_seen_at"]).days == 166
    months = database.query(
        "select to_char(month_start, 'MM') as month, provider, category, reason,"
        " failed_generations, refunded_failures, example_message"
        " from analytics.failures_by_reason_month order by 1, 2"
    )
    days = {"01": 31, "02": 29, "03": 31, "04": 30, "05": 31, "06": 15}
    assert [tuple(row.values())[:6] for row in months] == [
        (month, provider, "provider_unavailable", "Provider unavailable", count, 0)
        for month, count in days.items()
        for provider in ("nanobanana", "seedream")
    ]
    assert {row["example_message"] for row in months} == {"HTTP 503: upstream unavailable (<text>)"}

    accuracy = database.query(
        "select count(*) as rows, max(month_start)::text as last from analytics.forecast_accuracy"
    )
    assert accuracy[0]["last"] == "2024-05-01"
    assert accuracy[0]["rows"] > 0


def test_empty_database(database: AppDatabase) -> None:
    """Without any history there are rows that say so, and no number."""
    build(database)
    forecasts = database.query("select * from analytics.cost_forecast")
    assert {row["forecast_status"] for row in forecasts} == {"not_enough_data"}
    assert {row["vendor_cost_usd"] for row in forecasts} == {None}
    assert len([row for row in forecasts if row["provider"] == "all"]) == 3
    for model in MODELS[1:]:
        assert database.query(f"select count(*) as rows from analytics.{model}")[0]["rows"] == 0


@pytest.mark.long
@pytest.mark.parametrize(("at_weekends", "expected"), [(0, 440), (5, 480)])
def test_quiet_weekends(database: AppDatabase, at_weekends: int, expected: int) -> None:
    """20 generations on working days, fewer or none at weekends: April has 22 working days."""
    database.execute(
        """
        insert into enhancement_tasks
            (id, user_id, provider, status, enhancement_type, cost_usd, created_at, updated_at)
        select
            md5(day::text || number)::uuid,
            '00000000-0000-4000-8000-000000000001',
            'nanobanana',
            'completed',
            'image_gen',
            0.038,
            day + number * interval '20 minutes',
            day + number * interval '20 minutes' + interval '10 seconds'
        from generate_series(timestamptz '2023-12-31 00:00Z', '2024-04-08 00:00Z', '1 day') as day
        cross join generate_series(1, 20) as number
        where
            extract(isodow from day at time zone 'UTC') < 6
            or number <= %s
        """,
        [at_weekends],
    )
    build(database, as_of="2024-04-09T00:00:00Z", monthly_budget_usd=25)
    (april,) = database.query(
        "select generations, vendor_cost_usd, budget_passed_on from analytics.cost_forecast"
        " where provider = 'all' and month_start = '2024-04-01'"
    )
    assert april["generations"] == pytest.approx(expected, rel=0.1)
    assert float(april["vendor_cost_usd"]) == pytest.approx(0.038 * expected, rel=0.1)
    assert april["budget_passed_on"] is None


WITHOUT_RUNTIME = """
from dbt.plugins.manager import PluginManager
found = PluginManager.get_prefixed_modules()
found = {name: module for name, module in found.items() if name != "dbt_postgres_python"}
PluginManager.get_prefixed_modules = classmethod(lambda _: found)
from dbt.cli.main import cli
cli()
"""


@pytest.mark.long
def test_without_the_runtime_the_rest_builds(database: AppDatabase, tmp_path: Path) -> None:
    """No model, test or exposure asks for what Python models would have made."""
    variables = {**os.environ, **database.environment()}
    variables.pop("DBT_POSTGRES_PYTHON", None)
    flags = {"--profiles-dir": profiles_directory(), "--target-path": tmp_path / "target"}
    built = subprocess.run(
        [
            *(sys.executable, "-c", WITHOUT_RUNTIME, "build", "--log-path", str(tmp_path)),
            *(str(part) for flag in flags.items() for part in flag),
        ],
        cwd=PROJECT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout
    assert "Python models are left out" in built.stdout
    marts = {
        row["relname"]
        for row in database.query(
            "select relname from pg_class where relnamespace = 'analytics'::regnamespace"
            " and relkind in ('r', 'v')"
        )
    }
    assert {"failures_by_month", "alerts", "monthly_type_breakdown"} <= marts
    assert not {*MODELS} & marts


@pytest.mark.long
def test_reasons_are_those_of_the_night(database: AppDatabase) -> None:
    """A failure that a frequent run brings is no fault of the test of sums; a wrong sum is one."""
    database.execute(HISTORY)
    run = {"variables": {"as_of": AS_OF}, "python_models": True}
    database.dbt("seed", **run)
    database.dbt("run", **run)
    database.execute(
        "update enhancement_tasks set status = 'failed', error_message = 'never seen'"
        " where created_at = '2024-06-14 00:05Z'"
    )
    database.dbt("build", "--selector", "frequent", variables={"as_of": AS_OF})
    sums = [
        database.query(f"select sum(failed_generations) as failed from analytics.{mart}")
        for mart in ("failures_by_month", "failures_by_reason_month")
    ]
    assert sums == [[{"failed": 2 * 168}], [{"failed": 2 * 167}]]
    test = ("test", "--select", "assert_reasons_add_up_to_failures")
    database.dbt(*test, **run)
    for month, is_right in (("06", True), ("05", False)):
        database.execute(
            "update analytics_intermediate.int_failures_by_reason"
            " set failed_generations = failed_generations + 1"
            f" where month_start = '2024-{month}-01' and provider = 'seedream'"
        )
        assert database.dbt(*test, **run, expect_success=False).success == is_right
    database.dbt("run", "--select", "failures_by_reason_month", "int_failures_by_reason", **run)
    (new,) = database.query(
        "select reason, sum(failed_generations) as failed from analytics.failures_by_reason_month"
        " where example_message <> 'HTTP 503: upstream unavailable (<text>)' group by 1"
    )
    assert new == {"reason": "not sorted yet", "failed": 2}
    database.dbt(*test, **run)
