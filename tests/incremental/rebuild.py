"""Scheduled runs, and what a rebuild of everything would have given instead."""

from datetime import datetime

from tests.app_database import AppDatabase

COMPARED = {
    "analytics": [
        *("fct_generations", "daily_usage", "monthly_usage", "monthly_cost"),
        *("monthly_success_rate", "monthly_provider_breakdown", "monthly_user_usage"),
        *("month_to_date", "failures_by_month", "provider_health", "credits_by_tier"),
        "generations_without_cost",
        *("dashboard_overview", "dashboard_stats"),
    ],
    "analytics_intermediate": [
        *("int_ledger_synced", "int_bare_charges_matched", "int_refunds_matched"),
    ],
}

# Of nightly runs alone.
COMPARED_AT_NIGHT = {
    "analytics": [
        *("daily_active_users", "monthly_type_breakdown", "monthly_credit_movements"),
        *("monthly_provider_margin", "monthly_finance"),
        *("credit_circulation", "monthly_user_margin", "daily_latency", "user_retention"),
    ],
    "analytics_intermediate": [
        "int_active_users_by_day",
        "int_users_by_type_month",
        "int_latency_by_day",
    ],
}


def run(
    database: AppDatabase,
    as_of: datetime,
    zone: str,
    *arguments: str,
    check: bool = True,
    reports: bool = False,
) -> None:
    """Build as of a moment, days being those of a timezone; a run that fails is an error."""
    database.dbt(
        *("build", *arguments),
        variables={"as_of": as_of.isoformat(), "reporting_timezone": zone},
        expect_success=check,
        reports=reports,
    )


def run_without(database: AppDatabase, as_of: datetime, zone: str, *left_out: str) -> None:
    """A run of all but some models; `--exclude` beside `--selector` is ignored by dbt."""
    run(database, as_of, zone, "--exclude", *left_out, "test_type:unit", "test_type:data")


def tables_of(database: AppDatabase, at_night: bool = False) -> dict[str, list[str]]:
    """The rows of each compared table, as sorted texts, save by which change they were written."""
    schemas = [*COMPARED.items(), *(COMPARED_AT_NIGHT.items() if at_night else ())]
    return {
        table: sorted(
            str(tuple(value for name, value in row.items() if name != "change_number"))
            for row in database.query(f"select * from {schema}.{table}")
        )
        for schema, tables in schemas
        for table in tables
    }


def tables_rebuilt(
    database: AppDatabase, as_of: datetime, zone: str, at_night: bool = False
) -> dict[str, list[str]]:
    """The tables that a rebuild from all of history gives; the database stays as it is."""
    maintenance = AppDatabase(database.server, "postgres")
    aside = f"{database.name}_aside"
    maintenance.execute(f"drop database if exists {aside} with (force)")
    # An autovacuum or a broken run may still be connected.
    maintenance.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [database.name]
    )
    maintenance.execute(f"alter database {database.name} rename to {aside}")
    maintenance.execute(f"create database {database.name} template {aside}")
    run(database, as_of, zone, "--selector", "frequent", "--full-refresh")
    if at_night:
        models = ("--resource-type", "model", "-s", "tag:reports")
        run(database, as_of, zone, "--full-refresh", *models, reports=True)
    tables = tables_of(database, at_night)
    maintenance.execute(f"drop database {database.name} with (force)")
    maintenance.execute(f"alter database {aside} rename to {database.name}")
    return tables


def assert_equals_rebuild(
    database: AppDatabase, as_of: datetime, zone: str, at_night: bool = False
) -> None:
    """Each compared table is as a rebuild gives it; `at_night` those of nightly runs too."""
    found = tables_of(database, at_night)
    rebuilt = tables_rebuilt(database, as_of, zone, at_night)
    for table, rows in found.items():
        extra, missing = set(rows) - set(rebuilt[table]), set(rebuilt[table]) - set(rows)
        assert rows == rebuilt[table], "\n".join(
            [f"{table} after the run at {as_of}", *(f"- {row}" for row in sorted(extra)[:5])]
            + [f"+ {row}" for row in sorted(missing)[:5]]
        )
