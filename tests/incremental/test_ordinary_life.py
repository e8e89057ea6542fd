"""What happens to any app in a month: accounts go, rows come late, clocks step back."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.app_database import AppDatabase
from tests.conftest import make_database
from tests.histories import load, with_keys, write_histories
from tests.incremental.conftest import AS_OF, OLD, ZONE, change_one_charge
from tests.incremental.rebuild import assert_equals_rebuild, run, run_without
from tests.oracle import AppTables
from tests.table_shapes import loosen

ALL_TESTS = ("--exclude", "test_type:unit")
TOTALS = "select count(*), sum(vendor_cost_usd), sum(credits_used) from analytics.fct_generations"
LONE_USER = "11111111-2222-3333-4444-555555555555"
RECORD = "analytics_intermediate.int_run_manifest"


def add_old_account(database: AppDatabase) -> None:
    """A user of a year back with tasks, charges and a refund, whom nothing else is about."""
    database.execute(
        """
        insert into user_credits (user_id, current_balance, subscription_tier)
        values (%(user)s, 4, 'plus');
        insert into enhancement_tasks
            (id, user_id, status, provider, enhancement_type, cost_usd, created_at, failed_at)
        select gen_random_uuid(), %(user)s, case when n = 3 then 'failed' else 'completed' end,
            'seedream', 'image_gen', 0.027, cast(%(when)s as timestamptz) + n * interval '5 days',
            case when n = 3 then cast(%(when)s as timestamptz) + interval '16 days' end
        from generate_series(1, 6) as n;
        insert into credit_transactions (id, user_id, transaction_type, credits_used, cost_usd,
            provider, enhancement_type, status, api_request_id, created_at)
        select gen_random_uuid(), user_id, 'deduction', 2, 0.027, provider, enhancement_type,
            'completed', cast(id as text), created_at + interval '1 second'
        from enhancement_tasks where user_id = %(user)s;
        insert into credit_transactions
            (id, user_id, transaction_type, credits_used, status, created_at)
        values (gen_random_uuid(), %(user)s, 'refund', 2, 'completed',
            cast(%(when)s as timestamptz) + interval '16 days 1 hour')
        """,
        {"user": LONE_USER, "when": (AS_OF - timedelta(days=365)).isoformat()},
    )


def columns_that_hold(database: AppDatabase, value: str) -> list[str]:
    """Each column of our tables and of what readers read in which a value occurs.

    Views that clean the app's tables are left out: they show what the app has now.
    """
    relations = database.query(
        """select quote_ident(nspname) || '.' || quote_ident(relname) as relation
           from pg_class
           inner join pg_namespace on pg_namespace.oid = relnamespace
           where nspname like 'analytics%' and relkind in ('r', 'v', 'm')
               and nspname <> 'analytics_staging' and (relkind <> 'v' or nspname = 'analytics')"""
    )
    found = database.query(
        " union all ".join(
            f"""select distinct '{each["relation"]}.' || columns.key as held
                from {each["relation"]} as r cross join jsonb_each_text(to_jsonb(r)) as columns
                where columns.value like %(value)s"""
            for each in relations
        ),
        {"value": f"%{value}%"},
    )
    return [row["held"] for row in found]


@pytest.mark.parametrize("how", [pytest.param("deleted", marks=pytest.mark.long), "set to null"])
def test_an_account_that_goes_is_gone_after_one_nightly_run(
    built: AppDatabase, how: str, capsys: pytest.CaptureFixture
) -> None:
    """Green, with all data tests, by itself; with a line that says what was repaired."""
    add_old_account(built)
    run(built, AS_OF, ZONE, *ALL_TESTS)
    assert "repaired: " in capsys.readouterr().out
    assert "analytics.fct_generations.user_id" in columns_that_hold(built, LONE_USER)
    before = built.query(TOTALS)
    if how == "deleted":
        for table in ["user_credits", "credit_transactions", "enhancement_tasks"]:
            built.execute(f"delete from {table} where user_id = %s", [LONE_USER])
    else:
        built.execute("delete from user_credits where user_id = %s", [LONE_USER])
        for table in ["credit_transactions", "enhancement_tasks"]:
            built.execute(f"update {table} set user_id = null where user_id = %s", [LONE_USER])
    run(built, AS_OF, ZONE, *ALL_TESTS)
    assert "day(s) before the look-back differed from the app" in capsys.readouterr().out
    assert columns_that_hold(built, LONE_USER) == []
    assert (built.query(TOTALS) == before) is (how == "set to null")
    assert_equals_rebuild(built, AS_OF, ZONE)
    run_without(built, AS_OF, ZONE)
    assert "repaired" not in capsys.readouterr().out


@pytest.mark.long
def test_what_an_app_deletes_after_some_time_goes(built: AppDatabase) -> None:
    for table in ["credit_transactions", "enhancement_tasks"]:
        built.execute(f"delete from {table} where created_at < %s", [OLD - timedelta(days=90)])
    run(built, AS_OF, ZONE, *ALL_TESTS)
    assert_equals_rebuild(built, AS_OF, ZONE)


def test_forget_user_removes_an_id_at_once(
    built: AppDatabase, capsys: pytest.CaptureFixture
) -> None:
    add_old_account(built)
    run_without(built, AS_OF, ZONE)
    before = built.query(TOTALS)
    forget = ("run-operation", "forget_user", "--args", f"{{user_id: {LONE_USER}}}")
    held = columns_that_hold(built, LONE_USER)
    built.execute(f"alter table {RECORD} add constraint fault check (inputs is not null) not valid")
    built.dbt(*forget, expect_success=False)
    assert columns_that_hold(built, LONE_USER) == held, "its last step failed, and none is done"
    built.execute(f"alter table {RECORD} drop constraint fault")
    built.dbt(*forget[:-1], "{user_id: null}", expect_success=False)
    built.dbt(*forget)
    said = capsys.readouterr().out
    assert "analytics.fct_generations: user_id emptied in 6 row(s)" in said
    assert "the app still names the user in 6 task(s), 7 ledger row(s) and 1 balance(s)" in said
    assert columns_that_hold(built, LONE_USER) == []
    assert built.query(TOTALS) == before
    built.dbt(*forget)
    assert "no table(s) held the user" in capsys.readouterr().out
    for table in ["user_credits", "credit_transactions", "enhancement_tasks"]:
        built.execute(f"delete from {table} where user_id = %s", [LONE_USER])
    run(built, AS_OF, ZONE, *ALL_TESTS)
    assert columns_that_hold(built, LONE_USER) == []
    assert_equals_rebuild(built, AS_OF, ZONE)


@pytest.mark.long
def test_users_are_counted_again_without_a_forgotten_one(built: AppDatabase) -> None:
    """Also on days that changed before, of generations that only charges tell of."""
    add_old_account(built)
    built.execute("delete from enhancement_tasks where user_id = %s", [LONE_USER])
    run(built, AS_OF, ZONE, *ALL_TESTS, reports=True)
    margins = "select count(*) from analytics.monthly_user_margin where user_id is null"
    assert "analytics.monthly_user_margin.user_id" in columns_that_hold(built, LONE_USER)
    built.dbt("run-operation", "forget_user", "--args", f"{{user_id: {LONE_USER}}}")
    assert columns_that_hold(built, LONE_USER) == []
    assert built.query(margins) == [{"count": 0}]
    built.execute("delete from user_credits where user_id = %s", [LONE_USER])
    built.execute("update credit_transactions set user_id = null where user_id = %s", [LONE_USER])
    run(built, AS_OF, ZONE, *ALL_TESTS, reports=True)
    assert_equals_rebuild(built, AS_OF, ZONE, at_night=True)


def test_a_clock_that_steps_back_loses_nothing(built: AppDatabase) -> None:
    """Whatever earlier runs wrote seems to have been written in the future."""
    run(built, AS_OF, ZONE, "--selector", "frequent")
    clocks = built.query(
        """select table_schema || '.' || table_name as relation, column_name as name
           from information_schema.columns
           where table_schema = 'analytics_intermediate'
               and column_name in ('changed_at', 'looked_at', 'queued_at')"""
    )
    assert clocks == [], "no table of the run's state holds a time of day"
    change_one_charge(built)
    run(built, AS_OF, ZONE, "--selector", "frequent")
    change_one_charge(built)
    run(built, AS_OF - timedelta(minutes=10), ZONE, "--selector", "frequent")
    assert_equals_rebuild(built, AS_OF - timedelta(minutes=10), ZONE)
    run(built, AS_OF, ZONE, "--selector", "frequent")
    assert_equals_rebuild(built, AS_OF, ZONE)


@pytest.mark.parametrize(
    "table",
    [
        pytest.param("daily_usage", marks=pytest.mark.long),
        "int_usage_by_user_month",
        pytest.param("monthly_usage", marks=pytest.mark.long),
    ],
)
def test_totals_changed_by_hand_are_made_right_at_night(built: AppDatabase, table: str) -> None:
    schema = "analytics_intermediate" if table.startswith("int_") else "analytics"
    built.execute(f"update {schema}.{table} set generations = generations + 1")
    run(built, AS_OF, ZONE, "--exclude", "test_type:unit")
    assert_equals_rebuild(built, AS_OF, ZONE)


BEFORE, AFTER = "before the first build", "afterwards"


@pytest.mark.parametrize(
    ("when", "bad", "is_rejected"),
    [
        pytest.param(AFTER, datetime(1970, 1, 2, tzinfo=UTC), True, marks=pytest.mark.long),
        pytest.param(BEFORE, datetime(2001, 9, 9, tzinfo=UTC), True, marks=pytest.mark.long),
        (BEFORE, datetime(1970, 1, 2, tzinfo=UTC), True),
        pytest.param(AFTER, datetime(2015, 1, 1, tzinfo=UTC), True, marks=pytest.mark.long),
        pytest.param(BEFORE, datetime(2022, 6, 1, tzinfo=UTC), False, marks=pytest.mark.long),
    ],
)
def test_a_row_of_a_bad_clock_is_rejected(
    server, when: str, bad: datetime, is_rejected: bool
) -> None:
    """It makes no months of zeros; its row in `rejected_rows` says why."""
    database = make_database(server)
    loosen(database, keyed=True)
    load(database, with_keys(write_histories(7, [AS_OF - timedelta(days=9)])))
    bad_rows = AppTables(
        enhancement_tasks=[{"id": LONE_USER, "status": "completed", "created_at": bad}],
        credit_transactions=[],
        user_credits=[],
    )
    if when == AFTER:
        run(database, AS_OF, ZONE, *ALL_TESTS)
    database.insert("enhancement_tasks", *bad_rows.enhancement_tasks)
    run(database, AS_OF, ZONE, *ALL_TESTS)
    reasons = database.query(
        "select reject_reason from analytics.rejected_rows where row_id = %s", [LONE_USER]
    )
    assert reasons == ([{"reject_reason": "implausible_created_at"}] if is_rejected else [])
    (months,) = database.query("select count(*) as months from analytics.monthly_usage")
    assert (months["months"] < 4) is is_rejected
    assert_equals_rebuild(database, AS_OF, ZONE)
