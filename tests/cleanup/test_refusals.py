"""The design's table of faults: each is refused with its code, and nothing has moved.

Every test is one of its rows, or more, on every PostgreSQL to be had.
"""

import re

import psycopg2
import pytest

from tests.cleanup.operator import SYNC, Operator

# Name, what makes the fault, and the code that names it.
DEPENDENTS = {
    "view": ("create view pool_view as select provider from credit_pools", "CLEANUP-DEPENDENTS"),
    "materialized_view": (
        "create materialized view pool_copy as select provider from credit_pools",
        "CLEANUP-DEPENDENTS",
    ),
    "view_on_view": (
        "create view pool_view as select provider from credit_pools;"
        "create view pool_view_again as select provider from pool_view",
        "CLEANUP-DEPENDENTS",
    ),
    "foreign_key_of_a_kept_table": (
        "alter table credit_transactions add pool_id uuid references credit_pools (id)",
        "CLEANUP-DEPENDENTS",
    ),
    "policy_of_a_kept_table": (
        "create policy pools_only on user_credits for select using"
        " (exists (select from credit_pools where status = 'active'))",
        "CLEANUP-DEPENDENTS",
    ),
    "trigger_of_a_kept_table": (
        "create function count_pool() returns trigger language plpgsql as"
        " 'begin update credit_pools set updated_at = now(); return new; end';"
        "create trigger count_pool after update on user_credits"
        " for each row execute function count_pool()",
        "CLEANUP-KEPT-BREAKS",
    ),
    "kept_function": (
        "create function consume_user_credits(text) returns bigint language sql as"
        " 'select count(*) from credit_pools'",
        "CLEANUP-KEPT-BREAKS",
    ),
    "inheritance_child": (
        "create table credit_pools_old () inherits (credit_pools)",
        "CLEANUP-DEPENDENTS",
    ),
    "atomic_function": (
        "create function pools() returns bigint language sql"
        " begin atomic select count(*) from credit_pools; end",
        "CLEANUP-DEPENDENTS",
    ),
    "row_type_argument": (
        "create function is_low(pool credit_pools) returns boolean language sql as 'select true'",
        "CLEANUP-DEPENDENTS",
    ),
    "row_type_column": (
        "alter table enhancement_tasks add column pool credit_pools",
        "CLEANUP-DEPENDENTS",
    ),
    "rule": (
        "create rule refill as on insert to enhancement_tasks do also"
        " update credit_pools set updated_at = now()",
        "CLEANUP-DEPENDENTS",
    ),
    "default_by_an_owned_sequence": (
        "create sequence pool_numbers; alter sequence pool_numbers owner to app_owner;"
        "alter sequence pool_numbers owned by credit_pools.provider;"
        "alter table enhancement_tasks add number bigint default nextval('pool_numbers')",
        "CLEANUP-DEPENDENTS",
    ),
    "unknown_overload": (
        "create function consume_platform_credits(text) returns bigint language sql as"
        " 'select count(*) from credit_pools'",
        "CLEANUP-UNTRACKED",
    ),
}


@pytest.mark.parametrize("fault", DEPENDENTS)
def test_a_dependent_refuses_until_it_is_accepted_or_for_good(operator: Operator, fault: str):
    """A dependent refuses until it is accepted or for good."""
    sql, code = DEPENDENTS[fault]
    operator.database.execute(sql)
    with operator.untouched():
        answer = operator.try_apply()
    assert not answer.success
    # The function that a kept table's trigger calls is a finding of its own.
    others = {"CLEANUP-UNTRACKED"} if fault == "trigger_of_a_kept_table" else set()
    assert set(answer.codes) == {code} | others
    assert operator.schema_of("credit_pools") == ["public"]
    assert operator.schema_of("cleanup_manifest") == []
    if fault in ("view", "unknown_overload"):
        names = [f["object"] for f in answer.report["findings"] if f["level"] == "refuse"]
        assert operator.apply(accept=(SYNC, *names)).success
    if code == "CLEANUP-KEPT-BREAKS":
        names = [f["object"] for f in answer.report["findings"] if f["level"] == "refuse"]
        assert operator.apply(accept=(SYNC, *names)).codes == [code]


def test_the_plan_names_all_that_postgresql_would_not_drop(operator: Operator):
    """PostgreSQL's own list, from a refused DROP … RESTRICT, is in the plan's."""
    for sql, _ in DEPENDENTS.values():
        operator.database.execute(sql.replace("create view", "create or replace view"))
    found = [f["object"] for f in operator.plan().find("CLEANUP-DEPENDENTS")]
    with pytest.raises(psycopg2.errors.DependentObjectsStillExist) as refusal:
        operator.database.execute("set search_path = ''; drop table public.credit_pools")
    said = refusal.value.diag.message_detail
    subjects = [line.split(" depends on ")[0] for line in said.splitlines()]
    names = {tuple(re.findall(r"public\.\w+", subject)) for subject in subjects}
    assert len(names) >= 8
    for name in names:
        assert any(all(part in thing for part in name) for thing in found), name


def test_an_untracked_function_refuses_until_it_is_accepted(operator: Operator):
    """An untracked function refuses until it is accepted."""
    with operator.untouched():
        answer = operator.apply(accept=())
    assert answer.codes == ["CLEANUP-UNTRACKED"]
    assert answer.report["refused"][0]["object"] == SYNC
    assert operator.apply(accept=(SYNC,)).success


KINDS = {
    "view": "create view credit_pools as select 1 as one",
    "materialized_view": "create materialized view credit_pools as select 1 as one",
    "partitioned_table": "create table credit_pools (id int) partition by list (id)",
    "table_with_a_parent": "create table a (id int); create table credit_pools () inherits (a)",
    "foreign_table": "create foreign data wrapper nothing; create server there"
    " foreign data wrapper nothing; create foreign table credit_pools (id int) server there",
}


@pytest.mark.parametrize("kind", KINDS)
def test_only_plain_tables_are_moved(operator: Operator, kind: str):
    """Only plain tables are moved."""
    operator.database.execute("drop table credit_pools;" + KINDS[kind])
    with operator.untouched():
        assert operator.try_apply().codes == ["CLEANUP-KIND"]


def test_a_name_that_differs_by_case_is_a_near_miss(operator: Operator):
    """A name that differs by case is a near miss."""
    operator.database.execute(
        'alter table credit_pools rename to "Credit_Pools";drop table credit_purchase_requests'
    )
    with operator.untouched():
        assert operator.try_apply().codes == ["CLEANUP-NEAR-MISS"]


def test_missing_targets_are_reported_and_the_others_moved(operator: Operator):
    """Missing targets are reported and the others moved."""
    operator.database.execute("drop table credit_purchase_requests")
    absent = operator.plan().find("ABSENT")
    assert [f["object"] for f in absent] == ["table credit_purchase_requests"]
    with operator.nothing_lost():
        assert operator.apply().success
    assert operator.schema_of("credit_pools") == ["cleanup_archive"]


def test_nothing_left_to_retire_is_nothing_to_do(operator: Operator):
    """Nothing left to retire is nothing to do."""
    operator.database.execute(
        "drop table credit_pools, credit_purchase_requests;"
        "drop function consume_platform_credits(varchar, int, numeric);"
        "delete from system_alerts where type like '%credit%'"
    )
    with operator.untouched():
        answer = operator.apply()
    assert answer.success
    assert answer.report["outcome"] == "nothing to do"
    assert operator.schema_of("cleanup_manifest") == []


def test_other_overloads_stay(operator: Operator):
    """Other overloads stay."""
    operator.database.execute("drop function consume_platform_credits(varchar, int, numeric)")
    overload = operator.plan().find("OVERLOAD")
    assert "platform_credits" in overload[0]["detail"]
    with operator.nothing_lost():
        assert operator.apply().success
    assert operator.schema_of("consume_platform_credits") == ["public"]
    assert operator.schema_of("credit_pools") == ["cleanup_archive"]


def test_search_path_and_temporary_tables_do_not_mislead(operator: Operator):
    """Search path and temporary tables do not mislead."""
    operator.database.execute(
        "create schema legacy; create table legacy.credit_pools (id int);"
        "grant usage on schema legacy to app_owner;"
        "alter role app_owner set search_path = legacy, public"
    )
    try:
        with operator.database.connect() as session:
            session.cursor().execute("create temporary table credit_pools (id int)")
            with operator.nothing_lost():
                answer = operator.apply()
    finally:
        operator.database.execute("alter role app_owner reset search_path")
    assert answer.success
    assert answer.find("ELSEWHERE")[0]["object"] == "legacy.credit_pools"
    assert [s for s in operator.schema_of("credit_pools") if "temp" not in s] == [
        "cleanup_archive",
        "legacy",
    ]


ENVIRONMENT = {
    "owner": ("alter table credit_pools owner to service_role", "CLEANUP-OWNER"),
    "function_owner": (
        "alter function consume_platform_credits(varchar, int, numeric) owner to service_role",
        "CLEANUP-OWNER",
    ),
    "foreign_archive": ("create schema cleanup_archive", "CLEANUP-ARCHIVE-OWNER"),
    "kept_table_missing": ("drop table enhancement_tasks", "CLEANUP-KEPT-MISSING"),
    "kept_function_missing": (
        "drop function refund_user_credits(uuid, int, varchar)",
        "CLEANUP-KEPT-MISSING",
    ),
    "name_taken_in_the_archive": (
        "create schema cleanup_archive authorization app_owner;"
        "create table cleanup_archive.credit_pools (id int)",
        "CLEANUP-COLLISION",
    ),
    "delete_trigger": (
        "create function keep() returns trigger language plpgsql as 'begin return null; end';"
        "create trigger keep before delete on system_alerts for each row execute function keep()",
        "CLEANUP-ALERT-TRIGGER",
    ),
    "delete_rule": (
        "create rule keep as on delete to system_alerts do instead nothing",
        "CLEANUP-ALERT-RULE",
    ),
    "inherited_rows": (
        "create table old_alerts () inherits (system_alerts)",
        "CLEANUP-ALERT-INHERITANCE",
    ),
}


@pytest.mark.parametrize("fault", ENVIRONMENT)
def test_the_wrong_surroundings_refuse(operator: Operator, fault: str):
    """The wrong surroundings refuse."""
    sql, code = ENVIRONMENT[fault]
    operator.database.execute(sql)
    with operator.untouched():
        answer = operator.try_apply()
    assert not answer.success
    assert answer.codes == [code]
    assert operator.schema_of("cleanup_manifest") == []


def test_no_privilege_to_make_the_archive(operator: Operator):
    """No privilege to make the archive."""
    operator.database.execute(f"revoke create on database {operator.database.name} from app_owner")
    with operator.untouched():
        assert operator.try_apply().codes == ["CLEANUP-PRIVILEGE"]


def test_a_role_without_privileges_is_told_so(operator: Operator):
    """A role without privileges is told so."""
    with operator.untouched():
        plan = operator.plan(user="paygen")
    assert not plan.success
    assert {f["object"] for f in plan.find("CLEANUP-OWNER")} >= {
        "table public.credit_pools",
        "table public.credit_purchase_requests",
    }
    assert "not visible" in plan.find("CONTENT")[0]["detail"]


def test_hidden_rows_refuse(operator: Operator):
    """Hidden rows refuse."""
    operator.database.execute(
        "alter table system_alerts enable row level security;"
        "alter table system_alerts force row level security;"
        "alter role app_owner nobypassrls"
    )
    try:
        with operator.untouched():
            assert operator.try_apply().codes == ["CLEANUP-RLS"]
    finally:
        operator.database.execute("alter role app_owner bypassrls")


@pytest.mark.parametrize("action", ["cascade", "set null"])
def test_accepted_children_may_still_not_lose_a_row(operator: Operator, action: str):
    """Accepted children may still not lose a row."""
    operator.database.execute(
        "create table acknowledgements (alert_id uuid"
        f" references system_alerts on delete {action});"
        "insert into acknowledgements select id from system_alerts"
    )
    name = "constraint acknowledgements_alert_id_fkey on acknowledgements"
    with operator.untouched():
        assert operator.apply().codes == ["CLEANUP-ALERT-FK"]
        answer = operator.apply(accept=(SYNC, name))
    assert answer.codes == ["CLEANUP-KEPT-CHANGED"]
    rows = operator.database.query("select count(alert_id) as n from acknowledgements")
    assert rows == [{"n": 6}]


def test_a_trigger_that_keeps_rows_refuses_though_accepted(operator: Operator):
    """A trigger that keeps rows refuses though accepted."""
    operator.database.execute(ENVIRONMENT["delete_trigger"][0])
    with operator.untouched():
        answer = operator.apply(accept=(SYNC, "trigger keep on system_alerts"))
    assert answer.codes == ["CLEANUP-KEPT-CHANGED"]


def test_the_app_cannot_enter_the_archive(operator: Operator):
    """The app cannot enter the archive."""
    operator.database.execute(
        "create schema cleanup_archive authorization app_owner;"
        "grant all on schema cleanup_archive to anon, public"
    )
    with operator.nothing_lost():
        assert operator.apply().success
    for role in ("anon", "authenticated", "service_role"):
        seen = operator.database.query(
            "select has_schema_privilege(%s, 'cleanup_archive', 'usage') as usage", (role,)
        )
        assert seen == [{"usage": False}]


def test_a_role_that_gets_in_by_membership_refuses(operator: Operator):
    """A role that gets in by membership refuses."""
    operator.database.execute("grant app_owner to anon")
    try:
        with operator.untouched():
            assert operator.apply().codes == ["CLEANUP-EXPOSED"]
        assert operator.schema_of("cleanup_manifest") == []
    finally:
        operator.database.execute("revoke app_owner from anon")


def test_an_error_at_the_last_step_undoes_all(operator: Operator):
    """A deferred trigger, which fires when the block makes its last check."""
    operator.database.execute(
        "create function fail() returns trigger language plpgsql as"
        " 'begin raise exception ''too late''; end';"
        "create constraint trigger fail after delete on system_alerts"
        " deferrable initially deferred for each row execute function fail()"
    )
    with operator.untouched():
        answer = operator.apply(accept=(SYNC, "trigger fail on system_alerts"))
    assert answer.codes == ["CLEANUP-FAILED"]
    assert "too late" in answer.text
    assert operator.schema_of("cleanup_manifest") == []


def test_a_stale_wrong_or_missing_hash_refuses(operator: Operator):
    """A stale wrong or missing hash refuses."""
    accept = [SYNC]
    confirm = operator.plan(accept=accept).report["plan_hash"]
    with operator.untouched():
        assert operator.run("apply", accept=accept).codes == ["CLEANUP-STALE-PLAN"]
        wrong = operator.run("apply", accept=accept, confirm="0" * 32)
        assert wrong.codes == ["CLEANUP-STALE-PLAN"]
    operator.database.execute("create view pool_view as select provider from credit_pools")
    accept.append("view public.pool_view")
    rule = "rule _RETURN on public.pool_view"
    with operator.untouched():
        stale = operator.run("apply", accept=[*accept, rule], confirm=confirm)
    assert stale.codes == ["CLEANUP-STALE-PLAN"]
