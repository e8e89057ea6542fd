"""Apply, verify, restore, again and again; what the app sees meanwhile."""

import psycopg2
import pytest

from tests.app_database import PROJECT
from tests.cleanup.operator import OPERATOR, SYNC, Operator, settings


def test_five_cycles_leave_rows_and_catalogue_identical(operator: Operator):
    """Five cycles leave rows and catalogue identical."""
    with operator.untouched():
        for _ in range(5):
            with operator.nothing_lost():
                assert operator.apply(include_api_providers=True).success
            assert "cleanup_archive" in operator.schema_of("api_providers")
            assert operator.run("restore").success
    assert operator.manifest() == ["restored"] * 25


def test_every_step_twice_is_a_no_op(operator: Operator):
    """Every step twice is a no op."""
    with operator.untouched():
        rehearsed = operator.run("rehearse", accept=[SYNC])
    assert rehearsed.success
    assert "rehearsed" in rehearsed.report["outcome"]
    confirm = operator.plan(accept=[SYNC]).report["plan_hash"]
    assert rehearsed.report["plan_hash"] == confirm
    with operator.untouched():
        outcomes = [
            operator.run(action, accept=[SYNC], confirm=confirm)
            for action in (
                "apply",
                "apply",
                "verify",
                "verify",
                "status",
                "restore",
                "restore",
                "verify",
            )
        ]
    assert [answer.success for answer in outcomes] == [True] * 8
    assert [answer.report["outcome"] for answer in outcomes] == [
        "applied",
        "nothing to do",
        "archived",
        "archived",
        "archived",
        "restored",
        "nothing to do",
        "nothing is archived",
    ]
    assert operator.manifest() == ["restored"] * 4


def test_the_kept_functions_work_after_apply(operator: Operator):
    """The kept functions work after apply."""
    user = "00000000-0000-0000-0000-000000000001"
    assert operator.apply().success
    for function in ("consume_user_credits", "refund_user_credits"):
        rows = operator.database.query(f"select {function}(%s, 2) as done", (user,))
        assert rows == [{"done": True}]
    assert operator.run("verify").success


def test_archived_tables_are_closed_to_the_app_but_for_an_accepted_view(operator: Operator):
    """By name the app is denied; a public view is listed, refuses, and serves on if accepted."""
    view = "view public.pool_window"
    operator.database.execute(
        "create view pool_window as select provider from credit_pools;"
        f"alter view pool_window owner to {OPERATOR};"
        "grant select on pool_window to anon, authenticated, service_role"
    )
    listed = operator.plan().find("CLEANUP-DEPENDENTS")
    assert [(f["object"], f["detail"].split(" of ")[0]) for f in listed] == [
        (view, "external dependent")
    ]
    with operator.untouched():
        assert operator.apply().codes == ["CLEANUP-DEPENDENTS"]
    with operator.nothing_lost():
        assert operator.apply(accept=(SYNC, view)).success
    for role in ("anon", "authenticated", "service_role"):
        with operator.database.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"set role {role}")
            with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="for schema"):
                cursor.execute("select * from cleanup_archive.credit_pools")
            cursor.execute("select * from public.pool_window")
            assert cursor.rowcount == 3


def test_only_rows_of_the_retired_types_move(operator: Operator):
    """Only rows of the retired types move."""
    operator.database.execute(
        "alter table system_alerts alter type drop not null,"
        " add severity int generated always as (length(level)) stored, add extra bytea default 'x';"
        "insert into system_alerts (type, level, message) values (null, 'info', 'no type')"
    )
    with operator.untouched():
        with operator.nothing_lost():
            assert operator.apply().success
        left = operator.database.query("select type from public.system_alerts order by type")
        assert [row["type"] for row in left] == ["api_error", "manual_credit_refill", None]
        assert operator.run("restore").success


def test_empty_tables_and_no_rows(operator: Operator):
    """Empty tables and no rows."""
    operator.database.execute("delete from credit_pools; delete from system_alerts")
    operator.database.execute("delete from credit_purchase_requests")
    with operator.untouched():
        with operator.nothing_lost():
            assert operator.apply().success
        assert operator.run("verify").success
        assert operator.run("restore").success


def test_no_secret_is_printed(operator: Operator):
    """No secret is printed."""
    said = operator.plan(include_api_providers=True).text
    said += operator.apply(include_api_providers=True).text + operator.run("verify").text
    assert "not-to-be-printed" not in said


def test_postgrest_is_told_on_commit_only(operator: Operator):
    """Postgrest is told on commit only."""
    with operator.database.connect() as connection:
        connection.cursor().execute("listen pgrst")
        operator.run("rehearse", accept=[SYNC])
        connection.poll()
        assert connection.notifies == []
        operator.apply()
        connection.poll()
        assert [note.payload for note in connection.notifies] == ["reload schema"]


def test_the_plan_names_scheduled_jobs_and_what_it_cannot_see(operator: Operator):
    """The plan names scheduled jobs and what it cannot see."""
    operator.database.execute(
        "create schema cron;"
        "create table cron.job (jobid int, jobname text, schedule text, command text);"
        "insert into cron.job values (1, 'sync', '@hourly', 'select sync_analytics_data()'),"
        " (2, 'other', '@daily', 'vacuum')"
    )
    assert "not visible" in operator.plan().find("JOBS")[0]["detail"]
    operator.database.execute("grant usage on schema cron to app_owner")
    operator.database.execute("grant select on cron.job to app_owner")
    jobs = operator.plan().find("JOBS")
    assert [job["object"] for job in jobs] == ["cron job 1", "pg_cron"]


def test_restore_by_another_role_is_refused(operator: Operator):
    """Restore by another role is refused."""
    assert operator.apply().success
    operator.database.execute("alter table cleanup_archive.credit_pools owner to service_role")
    with operator.nothing_lost():
        assert operator.run("restore").codes == ["CLEANUP-ACL", "CLEANUP-OWNER"]


def test_plan_is_fast_in_a_large_database(operator: Operator):
    """Plan is fast in a large database."""
    operator.database.execute(
        "do $$ begin for i in 1 .. 2000 loop"
        " execute format('create table many_%s (id int primary key, name text default ''x'')', i);"
        " execute format('create function many_%s() returns bigint language plpgsql as"
        " ''begin return (select count(*) from many_%s); end''', i, i);"
        " end loop; end $$"
    )
    operator.config = settings(block_timeout_ms=2000)
    assert operator.plan().report["outcome"].startswith("6 targets")


def test_restored_from_facts_and_refused_with_a_reason(operator: Operator):
    """Restored from facts and refused with a reason."""
    assert operator.apply().success
    faults = {
        "create table public.credit_pools (id int)": (
            "drop table public.credit_pools",
            "CLEANUP-COLLISION",
            "CLEANUP-RECREATED",
        ),
        "insert into cleanup_archive.credit_pools (provider, cost_per_credit) values ('x', 1)": (
            "delete from cleanup_archive.credit_pools where provider = 'x'",
            "CLEANUP-CHANGED",
            "CLEANUP-CHANGED",
        ),
        "revoke select on cleanup_archive.credit_pools from anon": (
            None,
            "CLEANUP-ACL",
            "CLEANUP-ACL",
        ),
    }
    for fault, (undo, restore_code, verify_code) in faults.items():
        operator.database.execute(fault)
        with operator.untouched():
            verified, restored = operator.run("verify"), operator.run("restore")
        assert not verified.success
        assert not restored.success
        assert verify_code in verified.codes
        assert restore_code in restored.codes
        assert operator.manifest() == ["archived"] * 4
        if undo:
            operator.database.execute(undo)


def test_restore_fails_whole_when_a_row_came_back(operator: Operator):
    """Restore fails whole when a row came back."""
    assert operator.apply().success
    operator.database.execute(
        "insert into public.system_alerts select * from cleanup_archive.system_alerts limit 1"
    )
    with operator.untouched():
        assert operator.run("restore").codes == ["CLEANUP-COLLISION"]
    assert operator.schema_of("credit_pools") == ["cleanup_archive"]


def test_triggers_would_fire_again(operator: Operator):
    """Triggers would fire again."""
    operator.database.execute(
        "create function tell() returns trigger language plpgsql as 'begin return new; end';"
        "create trigger tell after insert on system_alerts for each row execute function tell()"
    )
    with operator.untouched():
        assert operator.apply().success
        assert operator.run("restore").codes == ["CLEANUP-TRIGGERS"]
        assert operator.run("restore", accept=["trigger tell on system_alerts"]).success


def test_verify_notices_rows_that_come_back_and_what_is_gone(operator: Operator):
    """Verify notices rows that come back and what is gone."""
    assert operator.apply().success
    operator.database.execute(
        "insert into public.system_alerts (type, level, message)"
        " values ('low_platform_credits', 'info', 'again')"
    )
    with operator.untouched():
        assert operator.run("verify").codes == ["CLEANUP-ROWS-BACK"]
    with operator.nothing_lost():
        assert operator.apply().success
    assert operator.run("verify").success
    assert operator.manifest() == ["archived"] * 4
    operator.database.execute("drop table cleanup_archive.credit_purchase_requests")
    for action in ("verify", "status", "restore"):
        assert operator.run(action).codes == ["CLEANUP-GONE"]


def test_verify_never_says_clean_of_what_it_cannot_see(operator: Operator):
    """Verify never says clean of what it cannot see."""
    assert operator.apply().success
    for action in ("verify", "status"):
        with operator.untouched():
            answer = operator.run(action, user="paygen")
        assert not answer.success
        assert answer.codes == ["CLEANUP-NOT-VISIBLE"]


def test_the_lists_agree(operator: Operator):
    """The lists agree."""
    seed = (PROJECT / "seeds" / "retired_alert_types.csv").read_text().splitlines()[1:]
    assert [line.split(",")[0] for line in seed] == operator.config["rows"]["values"]
