"""A variable whose value makes no sense stops the run in words, before anything is built."""

import os
from pathlib import Path

import pytest

from local_postgres.server import Server
from tests.app_database import AppDatabase, messages
from tests.conftest import make_database

NONSENSE = [
    ("vendor_cost_basis", "invoice", "one of ledger, task, list"),
    ("failed_generations_are_billed", "maybe", "one of true, false"),
    ("credit_price_usd", -0.02, "a number of at least 0"),
    ("credit_price_usd", "cheap", "a number of at least 0"),
    ("cost_tolerance_usd", -1, "a number of at least 0"),
    ("implausible_cost_usd", True, "a number of at least 0"),
    ("shadow_charge_window_seconds", -300, "a whole number of at least 0"),
    ("refund_window_hours", 1.5, "a whole number of at least 0"),
    ("stuck_after_minutes", "30 minutes", "a whole number of at least 0"),
    ("lookback_days", -3, "a whole number of at least 0"),
    ("as_of", "yesterday", "an ISO timestamp with a zone"),
    ("as_of", "2024-12-04", "an ISO timestamp with a zone"),
    ("as_of", "2024-12-04T00:00:00", "an ISO timestamp with a zone"),
    ("event_time_start", "last week", "an ISO timestamp with a zone"),
    ("event_time_end", "2024-12-04T00:00:00Z", "without event_time_start"),
    ("reporting_timezone", "Mars/Olympus", "the server knows no such zone"),
    ("reporting_timezone", "UTC'; select 1 --", "the server knows no such zone"),
    ("app_schema", "", "is empty"),
    ("enhancement_tasks_table", "", "is empty"),
    ("closed_roles", "anon", "a list of role names"),
    ("reader_roles", "metabase", "a list of role names"),
    ("reader_roles", ["nobody's"], "a list of role names"),
    ("reader_roles", ["PAYGEN"], "it knows paygen"),
    ("reader_roles", [""], "a list of role names"),
    ("closed_roles", [1], "a list of role names"),
    ("credit_price_usd", float("nan"), "a number of at least 0"),
    ("credit_price_usd", float("inf"), "at most"),
    ("monthly_budget_usd", 0, "a number above 0"),
    ("monthly_budget_usd", float("nan"), "a number above 0"),
    ("credit_breakage_months", 0, "a whole number from 1 to 1200"),
    ("credit_breakage_months", 6.5, "a whole number from 1 to 1200"),
    ("lookback_days", 10**12, "at most"),
    ("refund_window_hours", True, "a whole number"),
    ("stuck_after_minutes", None, "a whole number"),
    ("as_of", "2024-02-30T00:00:00Z", "a day that exists"),
    ("as_of", "2023-02-29T00:00:00Z", "a day that exists"),
    ("as_of", "2024-12-04T24:00:00Z", "an ISO timestamp with a zone"),
    ("as_of", "2024-12-04T00:00:00+99:00", "an ISO timestamp with a zone"),
    ("as_of", "0044-03-15T00:00:00Z", "an ISO timestamp with a zone"),
    ("as_of", "", "an ISO timestamp with a zone"),
    ("reporting_timezone", None, "the server knows no such zone"),
    ("app_schema", 'pub"lic', "without double quotes"),
    ("user_credits_table", "credit_transactions", "each is a table of its own"),
    ("alert_failed_runs", 0, "a whole number of at least 1"),
    ("alert_failure_rise", 20, "at most 1"),
    ("run_history_days", -1, "a whole number of at least 0"),
]


def relations(database: AppDatabase) -> int:
    """How many relations stand in the analytics schemas."""
    (row,) = database.query(
        "select count(*) as relations from pg_class where relnamespace in"
        " (select oid from pg_namespace where nspname like 'analytics%%')",
        (),
    )
    return row["relations"]


@pytest.fixture(scope="module")
def empty_database(server: Server) -> AppDatabase:
    """One database for all of the module: nothing is ever built in it."""
    return make_database(server)


@pytest.mark.parametrize(("variable", "value", "words"), NONSENSE)
def test_nonsense_is_refused(
    empty_database: AppDatabase, variable: str, value: object, words: str
) -> None:
    """The message names the variable and says what it may be."""
    result = empty_database.dbt("run", variables={variable: value}, expect_success=False)
    assert not result.success
    said = messages(result)
    assert variable in said
    assert words in said
    assert "nothing was built" in said
    assert relations(empty_database) == 0


@pytest.mark.parametrize(
    "command",
    [
        ("seed", "--empty"),
        ("run", "--empty"),
        ("run", "--sample", "2 days"),
        pytest.param(("build", "--empty"), marks=pytest.mark.long),
    ],
    ids=" ".join,
)
def test_a_trial_is_refused_where_others_read(
    empty_database: AppDatabase, command: tuple[str, ...]
) -> None:
    """A project parsed without it would be built into the schemas that readers read."""
    said = messages(empty_database.dbt(*command, expect_success=False))
    assert f"{command[1]} is refused" in said
    assert f"nothing was built; run `dbt build {command[1]}` where" in " ".join(said.split())
    assert relations(empty_database) == 0


def test_all_faults_are_named_at_once(empty_database: AppDatabase) -> None:
    """Whoever mends one variable is not sent back for the next."""
    faults = {"vendor_cost_basis": "x", "refund_window_hours": -1, "as_of": "soon"}
    said = messages(empty_database.dbt("run", variables=faults, expect_success=False))
    assert all(name in said for name in faults)


def test_a_range_that_ends_before_it_begins_is_refused(empty_database: AppDatabase) -> None:
    """Both ends are named."""
    ends = {"event_time_start": "2024-11-02T00:00:00Z", "event_time_end": "2024-11-01T00:00:00Z"}
    said = messages(empty_database.dbt("run", variables=ends, expect_success=False))
    assert "event_time_end is '2024-11-01T00:00:00Z': it must be later than" in said


def test_a_misspelt_variable_is_warned_about(
    empty_database: AppDatabase, capsys: pytest.CaptureFixture
) -> None:
    """In dbt_project.yml or by `--vars` it would change nothing, without a word."""
    settings, variables = {"reader_role": ["x"]}, {"lookback_day": 7, "as_of": "x"}
    empty_database.dbt("run", settings=settings, variables=variables, expect_success=False)
    printed = " ".join(capsys.readouterr().out.split())
    assert "'reader_role' is no variable of paygen" in printed
    assert "'lookback_day' is no variable of paygen" in printed


def test_a_timestamp_may_stand_unquoted_in_the_project(empty_database: AppDatabase) -> None:
    """YAML reads it as a date, and so does the run."""
    settings = {"as_of": "2024-12-04T00:00:00Z"}
    empty_database.dbt("seed", settings=settings)


@pytest.mark.parametrize("as_of", ["2024-12-04T00:00:00Z", "2024-12-04 01:00:00.5+01:00"])
def test_iso_timestamps_are_understood(empty_database: AppDatabase, as_of: str) -> None:
    """A timestamp with any zone is a moment."""
    empty_database.dbt("compile", "--select", "monthly_usage", variables={"as_of": as_of})


@pytest.mark.parametrize("schema", ["public", "auth", "storage", "PUBLIC", "pg_analytics"])
def test_the_schemas_of_others_are_refused(
    empty_database: AppDatabase, schema: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No profile makes the project build among the app's or the server's tables."""
    profile = tmp_path / "profiles.yml"
    profile.write_text(
        "paygen: {target: prod, outputs: {prod: {type: postgres, host: localhost, port: 5432,"
        f" user: x, password: x, dbname: x, schema: {schema}}}}}}}\n"
    )
    monkeypatch.setattr("tests.app_database.profiles_directory", lambda: tmp_path)
    said = str(empty_database.dbt("parse", parse=True, expect_success=False).exception)
    assert f"does not build into schema '{schema}" in said


def test_a_developer_builds_beside_production(
    empty_database: AppDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The target `dev` prefixes every schema with the developer's name."""
    monkeypatch.setenv("USER", "Ann")
    monkeypatch.setitem(os.environ, "DBT_TARGET", "dev")
    manifest = empty_database.dbt("parse", "--target", "dev", parse=True).result
    schemas = {node.schema for node in manifest.nodes.values() if node.resource_type == "model"}
    assert schemas == {"ann_analytics", "ann_analytics_staging", "ann_analytics_intermediate"}
