"""Runs that end in the middle, and days that change where no run looks."""

from datetime import timedelta

import psycopg2
import pytest

from tests.app_database import AppDatabase, messages
from tests.incremental.conftest import AS_OF, OLD, ZONE
from tests.incremental.rebuild import assert_equals_rebuild, run, run_without

# Every table on the way, in the order in which they are written.
STEPS = [
    *("int_ledger_synced", "int_rows_seen"),
    *("int_keys_touched", "int_refunds_matched", "int_generations_changed", "int_days_changed"),
    *("fct_generations", "daily_usage", "int_usage_by_user_month", "int_users_by_first_month"),
    *("int_usage_by_month", "monthly_usage"),
]


@pytest.mark.parametrize(
    "step",
    [pytest.param(step, marks=pytest.mark.long) if n % 4 else step for n, step in enumerate(STEPS)],
)
def test_run_after_one_that_ended_at(built: AppDatabase, step: str) -> None:
    """The same run with everything after `step` never done, then one run more."""
    built.execute(
        """update enhancement_tasks set status = 'failed', failed_at = %(as_of)s
           where id in (select id from enhancement_tasks
                        where lower(trim(status)) in ('pending', 'processing') limit 1);
           insert into credit_transactions
               (id, user_id, transaction_type, credits_used, status, api_request_id, created_at)
           select gen_random_uuid(), user_id, 'refund', 2, 'completed', cast(id as text), %(as_of)s
           from enhancement_tasks where created_at < %(recent)s and id is not null
           order by md5(cast(id as text) || %(step)s) limit 2""",
        {"as_of": AS_OF, "recent": AS_OF - timedelta(days=20), "step": step},
    )
    run_without(built, AS_OF, ZONE, f"{step}+")
    run(built, AS_OF, ZONE, "--selector", "frequent")
    assert_equals_rebuild(built, AS_OF, ZONE)


def test_server_ends_the_run(built: AppDatabase) -> None:
    """A run whose connections the server closes fails in words, the next one makes up for it."""
    built.execute(
        "update credit_transactions set cost_usd = 0.4 where created_at > %s",
        [AS_OF - timedelta(days=2)],
    )
    with (
        psycopg2.connect(
            host=built.server.host,
            port=built.server.port,
            user=built.server.user,
            dbname=built.name,
        ) as blocker,
        blocker.cursor() as cursor,
    ):
        cursor.execute("lock table analytics.fct_generations in access exclusive mode")
        built.execute("alter role paygen set lock_timeout = '500ms'")
        try:
            result = built.dbt(
                *("build", "--selector", "frequent"),
                variables={"as_of": AS_OF.isoformat(), "reporting_timezone": ZONE},
                expect_success=False,
            )
        finally:
            built.execute("alter role paygen reset lock_timeout")
    assert not result.success
    run(built, AS_OF, ZONE, "--selector", "frequent")
    assert_equals_rebuild(built, AS_OF, ZONE)


def reconcile(
    database: AppDatabase, capsys: pytest.CaptureFixture, *arguments: str, differs: bool = False
) -> str:
    """What the operation prints; it fails where it leaves a difference."""
    result = database.dbt(
        *("run-operation", "reconcile", *arguments),
        variables={"as_of": AS_OF.isoformat(), "reporting_timezone": ZONE},
        expect_success=False,
    )
    assert result.success is not differs
    return capsys.readouterr().out


def test_reconcile_repairs_just_the_days_that_differ(
    built: AppDatabase, capsys: pytest.CaptureFixture
) -> None:
    """An old status flips, old charge and refund go: no window sees it, reconcile does."""
    assert "0 differing day(s) and month(s)" in reconcile(built, capsys)
    changed = built.query(
        """
        with flipped as (
            update enhancement_tasks set status = 'cancelled'
            where cast(id as text) = (select generation_id from analytics.fct_generations
                        where status = 'completed' and record_source = 'task'
                        order by created_at limit 1)
            returning created_at
        ), gone as (
            delete from credit_transactions where cast(id as text) = (
                select transaction_id from analytics_intermediate.int_refunds_matched
                where generation_id is not null order by created_at limit 1)
            returning created_at
        )
        select cast(created_at at time zone %s as date) as day from flipped
        union select cast(created_at at time zone %s as date) from gone
        """,
        [ZONE, ZONE],
    )
    report = reconcile(built, capsys, differs=True)
    for row in changed:
        assert report.count(f"  {row['day']}  ") == 1, "each day once"
    assert "repair: true" in report

    assert "queued" in reconcile(built, capsys, "--args", "{repair: true}")
    before = built.query(
        "select usage_date, change_number from analytics_intermediate.int_days_changed"
    )
    run(built, AS_OF, ZONE, "--selector", "frequent")
    assert_equals_rebuild(built, AS_OF, ZONE)
    assert "0 differing day(s) and month(s)" in reconcile(built, capsys)
    assert built.query("select * from analytics_intermediate.int_repair_queue") == []
    after = built.query(
        "select usage_date, change_number from analytics_intermediate.int_days_changed"
    )
    rewritten = {row["usage_date"] for row in after if row not in before}
    refunded = {row["day"] for row in changed}
    assert refunded & rewritten
    assert len(rewritten) <= 4, "only the days that differ, and those of their refunds"


@pytest.mark.parametrize("given_as", ["flags", pytest.param("variables", marks=pytest.mark.long)])
def test_explicit_range_backfills_a_period(built: AppDatabase, given_as: str) -> None:
    built.execute(
        "update enhancement_tasks set cost_usd = coalesce(cost_usd, 0) + 0.9 where created_at < %s",
        [OLD + timedelta(days=4)],
    )
    built.execute(
        "update credit_transactions set cost_usd = null where created_at < %s",
        [OLD + timedelta(days=4)],
    )
    start, end = OLD - timedelta(days=30), OLD + timedelta(days=5)
    if given_as == "flags":
        flags = ("--event-time-start", str(start.date()), "--event-time-end", str(end.date()))
        run(built, AS_OF, ZONE, "--selector", "frequent", *flags)
    else:
        built.dbt(
            *("build", "--selector", "frequent"),
            variables={
                "as_of": AS_OF.isoformat(),
                "reporting_timezone": ZONE,
                "event_time_start": start.isoformat(),
                "event_time_end": end.isoformat(),
            },
        )
    assert_equals_rebuild(built, AS_OF, ZONE)


def test_changed_settings_demand_a_full_refresh(built: AppDatabase) -> None:
    result = built.dbt(
        *("build", "--selector", "frequent"),
        variables={"as_of": AS_OF.isoformat(), "reporting_timezone": "UTC"},
        expect_success=False,
    )
    assert not result.success
    assert "reporting_timezone was America/New_York and is UTC" in messages(result)
    assert_equals_rebuild(built, AS_OF, ZONE)


@pytest.mark.parametrize(
    "seed", ["provider_prices", pytest.param("provider_aliases", marks=pytest.mark.long)]
)
def test_changed_seeds_demand_a_full_refresh(built: AppDatabase, seed: str) -> None:
    """What history was built with is compared by the files' checksums."""
    name = f"seeds/{seed}.csv"
    manifest = "analytics_intermediate.int_run_manifest"
    (kept,) = built.query(
        f"select settings::jsonb ->> %s as value, settings from {manifest}", [name]
    )
    built.execute(
        f"update {manifest} set settings = replace(settings, %s, 'other')", [kept["value"]]
    )
    result = built.dbt(
        *("build", "--selector", "frequent"),
        variables={"as_of": AS_OF.isoformat(), "reporting_timezone": ZONE},
        expect_success=False,
    )
    said = messages(result)
    assert f"{name} was other and is {kept['value']}" in said
    assert "--full-refresh" in said
    built.execute(f"update {manifest} set settings = %s", [kept["settings"]])
    run(built, AS_OF, ZONE, "--selector", "frequent")
    assert_equals_rebuild(built, AS_OF, ZONE)
