"""What the steps say: rows, commands, sessions and statements; and settings one by one."""

import json
import shlex

import psycopg2

from tests.cleanup.operator import OPERATOR, SYNC, Operator, settings

LONG_AGO = (
    "update cleanup_archive.cleanup_manifest set archived_at = archived_at - interval '31 days'"
)
GOING = {
    "system_alerts.type = low_platform_credits": "2 rows",
    "system_alerts.type = credit_refill_success": "1 rows",
    "system_alerts.type = credit_refill_failed": "1 rows",
}


def rows_that_go(findings: list[dict]) -> dict[str, str]:
    """The rows by value, as the report counts them."""
    return {f["object"]: f["detail"].split(",")[0] for f in findings if f["level"] == "target"}


def test_a_refused_plan_counts_what_would_go_and_fails(operator: Operator):
    """Whatever refuses: the numbers are what one decides by."""
    for sql in (
        "select 1",
        "drop function refund_user_credits(uuid, int, varchar)",
        "drop table enhancement_tasks",
        "create view v as select provider from credit_pools",
    ):
        operator.database.execute(sql)
        plan = operator.plan()
        assert not plan.success
        assert rows_that_go(plan.find("ROWS")) == GOING
        assert ", 4 rows, " in plan.report["outcome"]
        assert plan.report["plan_hash"]


def test_a_plan_says_that_it_could_not_count(operator: Operator):
    """Unknown is not none."""
    operator.database.execute("revoke all on system_alerts from app_owner")
    operator.database.execute("alter table system_alerts owner to service_role")
    plan = operator.plan()
    assert "unknown rows" in plan.report["outcome"]


def test_apply_and_rehearse_list_what_moved(operator: Operator):
    """Rows by value and tables with their numbers."""
    for answer in (operator.run("rehearse", accept=[SYNC]), operator.apply()):
        assert answer.success
        assert rows_that_go(answer.find("ROWS")) == GOING
        assert {f["object"]: f["detail"] for f in answer.find("CONTENT")} == {
            "table public.credit_pools": "3 rows, archived",
            "table public.credit_purchase_requests": "2 rows, archived",
        }


def test_rows_are_compared_as_text_whatever_their_type(operator: Operator):
    """An enum, and partitions: every row of the values moves and comes back."""
    operator.database.execute(
        "create type alert_kind as enum ('low_platform_credits', 'credit_refill_success',"
        " 'credit_refill_failed', 'manual_credit_refill', 'api_error');"
        "alter table system_alerts alter type type alert_kind using type::alert_kind;"
        "alter table system_alerts rename to old_alerts;"
        "create table system_alerts (like old_alerts including defaults)"
        " partition by list (level);"
        "create table info_alerts partition of system_alerts for values in ('info');"
        "alter table system_alerts owner to app_owner; alter table info_alerts owner to app_owner;"
        "insert into system_alerts select * from old_alerts; drop table old_alerts"
    )
    with operator.untouched():
        answer = operator.apply()
        assert answer.success, answer.text
        assert rows_that_go(answer.find("ROWS")) == GOING
        left = operator.database.query("select type::text from public.system_alerts order by 1")
        assert [row["type"] for row in left] == ["api_error", "manual_credit_refill"]
        assert operator.run("restore").success


def test_a_publication_of_all_tables_makes_no_difference(operator: Operator):
    """Unless the alerts have no key: the server refuses to delete from what it publishes so."""
    operator.database.execute("create publication everything for all tables")
    with operator.nothing_lost():  # it lists the archive's tables too, from then on
        assert "PUBLICATION" in {f["code"] for f in operator.plan().report["findings"]}
        assert operator.apply().success
        assert operator.run("verify").success
        assert operator.run("restore").success
    operator.database.execute("alter table system_alerts drop constraint system_alerts_pkey")
    with operator.untouched():
        assert operator.apply().codes == ["CLEANUP-PUBLICATION"]
    operator.database.execute("alter table system_alerts replica identity full")
    assert operator.apply().success


def test_a_kept_function_that_never_existed_can_be_accepted(operator: Operator):
    """Verify knows what was accepted; a kept table must always be there."""
    operator.database.execute("drop function refund_user_credits(uuid, int, varchar)")
    name = "function refund_user_credits"
    with operator.untouched():
        assert operator.apply().codes == ["CLEANUP-KEPT-MISSING"]
    with operator.untouched():
        assert operator.apply(accept=(SYNC, name)).success
        verified = operator.run("verify")
        assert verified.success
        assert verified.report["outcome"] == "archived"
        assert operator.run("restore").success
    operator.database.execute("drop table enhancement_tasks")
    answer = operator.apply(accept=(SYNC, name, "table enhancement_tasks"))
    assert answer.codes == ["CLEANUP-KEPT-MISSING"]


def test_one_key_can_be_set_without_the_others(operator: Operator):
    """The others stay what dbt_project.yml says; a key that is none is named."""
    full = operator.config
    operator.config = {"archive_schema": "old_pool"}
    assert operator.apply().success
    assert operator.schema_of("credit_pools") == ["old_pool"]
    assert operator.run("restore").success
    operator.config = {"purge_after": 3}
    answer = operator.plan()
    assert answer.codes == ["CLEANUP-CONFIG"]
    assert "cleanup.purge_after is not among the keys" in answer.text
    operator.config = {"tables": None}
    assert operator.plan().codes == ["CLEANUP-CONFIG"]
    operator.config = full


def test_types_of_the_apps_schema_in_a_signature(operator: Operator):
    """Written with the schema or without, the function is found, moved and brought back."""
    operator.database.execute(
        "create type pool_kind as enum ('a'); create function old(kind pool_kind, n int)"
        " returns int language sql as 'select 1'; alter function old owner to app_owner"
    )
    for signature in ("old(pool_kind, integer)", "old(public.pool_kind,integer)"):
        operator.config = settings(functions=[*settings()["functions"], signature])
        with operator.untouched():
            assert operator.apply().success
            assert operator.schema_of("old") == ["cleanup_archive"]
            assert operator.run("verify").success
            assert operator.run("restore").success


def test_purge_prints_its_own_command(operator: Operator):
    """As it stands, with what was accepted; the error says it too."""
    assert operator.apply().success
    operator.database.execute(LONG_AGO)
    operator.database.execute(
        "insert into cleanup_archive.cleanup_backups (file_name, sha256, row_counts, made_at)"
        " select 'x', 'x', jsonb_object_agg(name, row_count), clock_timestamp()"
        " from cleanup_archive.cleanup_manifest"
    )
    accept = ["table public.credit_pools"]
    answer = operator.run("purge", accept=accept)
    assert answer.codes == ["CLEANUP-STALE-PLAN"]
    words = shlex.split(answer.report["next"])
    assert words[:4] == ["dbt", "run-operation", "cleanup_credit_pools", "--args"]
    arguments = json.loads(words[4])
    assert arguments == {
        "action": "purge",
        "confirm": answer.report["plan_hash"],
        "accept": accept,
    }
    assert answer.report["next"] in answer.text.replace("\\n", "")
    assert operator.run(**arguments).success


def test_the_plan_names_sessions_that_use_the_tables(operator: Operator):
    """By what they last did, without its texts and numbers; and says when it cannot see."""
    with psycopg2.connect(
        host=operator.database.server.host,
        port=operator.database.server.port,
        user=OPERATOR,
        dbname=operator.database.name,
        application_name="refill-job",
    ) as session:
        session.cursor().execute(
            "select 'secret-text', 4711 from credit_pools -- secret remark\n where provider = 'x'"
        )
        plan = operator.plan()
        used = [f for f in plan.find("SESSION") if f["object"].startswith("pid ")]
        assert [f["object"] for f in used] == [f"pid {session.info.backend_pid}"]
        assert "refill-job" in used[0]["detail"]
        assert "from credit_pools" in used[0]["detail"]
        for secret in ("secret", "4711"):
            assert secret not in plan.text
        assert "refill-job" in plan.find("LOCK")[0]["detail"]
        with operator.database.connect() as other:
            other.cursor().execute("select count(*) from public.credit_pools")
            hidden = operator.plan().find("SESSION")
            assert "not visible to app_owner" in [f["detail"] for f in hidden][-1]
            operator.user = operator.database.server.user
            seen = operator.plan().find("SESSION")
            assert {f["object"] for f in seen} == {
                f"pid {session.info.backend_pid}",
                f"pid {other.info.backend_pid}",
            }


def test_the_plan_names_statements_that_used_the_tables(operator: Operator):
    """Of pg_stat_statements, when a superuser made it; of another's view nothing is read."""
    columns = (
        "select 10::oid as userid, (select oid from pg_database where datname ="
        " current_database()) as dbid, query, calls"
    )
    operator.database.execute(
        "create schema extensions; grant usage on schema extensions to app_owner;"
        f"create view extensions.pg_stat_statements as {columns} from (values"
        " ('select * from credit_pools where id = $1 and x = ''secret''', 41::bigint),"
        " ('call sync_analytics_data()', 3), ('select 1', 99)) as v (query, calls);"
        "grant select on extensions.pg_stat_statements to app_owner"
    )
    said = [f["detail"] for f in operator.plan().find("STATEMENTS") if "calls" in f["detail"]]
    assert sorted(said) == [
        "3 calls of: call sync_analytics_data()",
        "41 calls of: select * from credit_pools where id = ? and x = ?",
    ]
    # The plan is read-only: what it reads cannot write either.
    operator.database.execute(
        "create table extensions.marks (); grant insert on extensions.marks to app_owner;"
        "create function extensions.mark() returns bigint language plpgsql as"
        " 'begin insert into extensions.marks default values; return 41; end';"
        "create or replace view extensions.pg_stat_statements as select userid, dbid, query,"
        " extensions.mark() as calls from (select 10::oid as userid, oid as dbid,"
        " 'select * from credit_pools' as query from pg_database"
        " where datname = current_database()) as v"
    )
    said = [f["detail"] for f in operator.plan().find("STATEMENTS")]
    assert said == ["not readable: cannot execute INSERT in a read-only transaction"]
    operator.database.execute("alter view extensions.pg_stat_statements owner to service_role")
    said = [f["detail"] for f in operator.plan().find("STATEMENTS")]
    assert said == ["not installed here"]
