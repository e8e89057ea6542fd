"""What stays and would fail once a function or table is retired: refused, whatever hangs on it."""

import pytest

from tests.cleanup.operator import OPERATOR, SYNC, Operator

# A retired function that may stand in any expression, and a table that a retired one feeds.
IS_POOLED = """
create function is_pooled(value text) returns boolean language sql immutable as 'select true';
create function pool_stamp() returns trigger language plpgsql as 'begin return new; end';
create function pool_watch() returns event_trigger language plpgsql as 'begin end';
create function pool_count(integer, integer) returns integer language sql as 'select $1 + 1';
alter function is_pooled(text) owner to app_owner;
alter function pool_stamp() owner to app_owner;
alter function pool_watch() owner to app_owner;
alter function pool_count(integer, integer) owner to app_owner;
"""
RETIRED = [
    "consume_platform_credits(character varying, integer, numeric)",
    "is_pooled(text)",
    "pool_stamp()",
    "pool_watch()",
    "pool_count(integer, integer)",
]
KEPT_BREAKS = {
    "default": "alter table user_credits add pooled boolean default is_pooled('x')",
    "generated_column": "alter table user_credits add pooled boolean"
    " generated always as (is_pooled(subscription_tier)) stored",
    "check": "alter table user_credits add check (is_pooled(subscription_tier))",
    "domain_check": "create domain tier as text check (is_pooled(value));"
    " alter table user_credits add other_tier tier",
    "domain_default": "create domain tier as boolean default is_pooled('x');"
    " alter table user_credits add other_tier tier",
    "domain_in_an_array": "create domain tier as text check (is_pooled(value));"
    " alter table user_credits add other_tiers tier[]",
    "domain_in_a_composite": "create domain tier as text check (is_pooled(value));"
    " create type of_tier as (other_tier tier); alter table user_credits add of_tier of_tier",
    "policy_using": "create policy p on user_credits using (is_pooled(subscription_tier))",
    "policy_with_check": "create policy p on user_credits for insert"
    " with check (is_pooled(subscription_tier))",
    "trigger_function": "create trigger t before insert on user_credits"
    " for each row execute function pool_stamp()",
    "trigger_condition": "create function stay() returns trigger language plpgsql as"
    " 'begin return new; end'; create trigger t before insert on user_credits"
    " for each row when (is_pooled(new.subscription_tier)) execute function stay()",
    "index_expression": "create index on user_credits (is_pooled(subscription_tier))",
    "index_predicate": "create index on user_credits (user_id) where is_pooled(subscription_tier)",
    "exclusion": "alter table user_credits add exclude using btree (user_id with =)"
    " where (is_pooled(subscription_tier))",
    "statistics": "create statistics s on (is_pooled(subscription_tier)), user_id"
    " from user_credits",
    "rule": "create rule r as on update to user_credits where is_pooled(old.subscription_tier)"
    " do also select 1",
    "operator": "create operator public.=== (function = is_pooled, rightarg = text);"
    " alter table user_credits add check (operator(public.===) subscription_tier)",
    "child_of_a_kept_table": "create table more_credits () inherits (user_credits);"
    " alter table more_credits add check (is_pooled(subscription_tier))",
    "optional_table_that_stays": "alter table api_providers add check (is_pooled(name))",
    "kept_function_of_sql": "create function consume_user_credits(a text) returns boolean"
    " language sql begin atomic select is_pooled(a); end",
    "kept_function_default": "create function consume_user_credits(a boolean default"
    " is_pooled('x')) returns boolean language sql as 'select true'",
    "kept_function_of_text": "create function consume_user_credits(a text) returns boolean"
    " language plpgsql as 'begin return is_pooled(a); end'",
    "kept_function_by_another": "create function low(a text) returns bigint language sql as"
    " 'select count(*) from credit_pools'; create function consume_user_credits(a text)"
    " returns boolean language plpgsql as 'begin return public.low(a) > 0; end'",
    "kept_function_by_a_view": "create view low as select is_pooled('x') as yes;"
    " create function consume_user_credits(a text) returns boolean language plpgsql as"
    " 'begin return (select yes from low); end'",
    "kept_function_by_an_aggregate": "create aggregate pool_total (integer)"
    " (sfunc = pool_count, stype = integer); create function consume_user_credits(a text)"
    " returns integer language plpgsql as 'begin return (select pool_total(1)); end'",
    "kept_function_by_an_operator": "create operator public.=== (function = is_pooled,"
    " rightarg = text); create function consume_user_credits(a text)"
    " returns boolean language plpgsql as 'begin return operator(public.===) a; end'",
    "check_by_another_function": "create function low(a text) returns boolean language sql as"
    " 'select exists (select from credit_pools)';"
    " alter table user_credits add check (low(subscription_tier))",
    "name_in_a_text": "create sequence pool_numbers;"
    " alter sequence pool_numbers owner to app_owner;"
    " alter sequence pool_numbers owned by credit_pools.provider;"
    " alter table user_credits add n bigint default nextval('pool_numbers'::text)",
    "event_trigger": "create event trigger e on ddl_command_end"
    " when tag in ('CREATE AGGREGATE') execute function pool_watch()",
}


def retire(operator: Operator, sql: str) -> None:
    """Make what breaks, and the functions that are retired with the pool."""
    operator.database.execute(IS_POOLED + sql)
    operator.config["functions"] = RETIRED


@pytest.mark.parametrize("fault", KEPT_BREAKS)
def test_what_is_kept_and_would_fail_refuses_for_good(operator: Operator, fault: str):
    """Accepting every name that refuses does not help; mending it does."""
    retire(operator, KEPT_BREAKS[fault])
    with operator.untouched():
        answer = operator.try_apply()
        names = [f["object"] for f in answer.report["refused"]]
        assert "CLEANUP-KEPT-BREAKS" in answer.codes
        assert operator.apply(accept=(SYNC, *names)).codes == ["CLEANUP-KEPT-BREAKS"]
    assert all("would fail" in f["detail"] for f in answer.find("CLEANUP-KEPT-BREAKS"))
    assert operator.schema_of("credit_pools") == ["public"]


BREAKS = {
    "view": "create view v as select is_pooled('x') as yes",
    "default_of_another_table": "create table t (a boolean default is_pooled('x'))",
    "unused_domain": "create domain tier as text check (is_pooled(value))",
    "disabled_event_trigger": "create event trigger e on ddl_command_end"
    " execute function pool_watch(); alter event trigger e disable",
}


@pytest.mark.parametrize("fault", BREAKS)
def test_what_is_in_no_list_and_would_fail_can_be_accepted(operator: Operator, fault: str):
    """It is never said to go on working."""
    retire(operator, BREAKS[fault])
    with operator.untouched():
        answer = operator.try_apply()
    assert answer.codes == ["CLEANUP-BREAKS"]
    assert all("would fail" in f["detail"] for f in answer.find("CLEANUP-BREAKS"))
    names = [f["object"] for f in answer.report["refused"]]
    with operator.nothing_lost():
        assert operator.apply(accept=(SYNC, *names)).success


CALLS = {
    "in_code": "begin /* 'no' */ return is_pooled(a); end",
    "after_a_comment_in_a_string": "begin return a = '--' or is_pooled(a); end",
    "after_a_string_in_a_comment": "begin -- isn't it\n return is_pooled(a) or a = ''; end",
    "after_a_nested_comment": "begin /* a /* b */ it's */ return is_pooled(a) or a = 'x'; end",
    "after_an_escape": r"begin return a = e'\'' or is_pooled(a) or a = e'\''; end",
    "after_dollars": "begin return a = $$'$$ or is_pooled(a) or a = $$'$$; end",
    "by_execute": "declare b boolean; begin execute 'select is_pooled(1)' into b; return b; end",
    "by_name": "begin return to_regprocedure('is_pooled(text)')::oid > 0; end",
    "in_quotes": 'begin return public."is_pooled"(a); end',
}
ONLY_NAMES = {
    "in_a_comment": "begin -- was is_pooled(a)\n return true; end",
    "in_a_block": "begin /* was is_pooled(a) */ return true; end",
    "in_a_string": "begin raise notice 'is_pooled(a) is gone'; return a = 'is_pooled'; end",
    "in_a_comment_beside_execute": "begin /* is_pooled() */ execute 'select 1'; return true; end",
}


@pytest.mark.long
@pytest.mark.parametrize("body", [*CALLS, *ONLY_NAMES])
def test_a_name_in_a_comment_or_a_string_is_no_call(operator: Operator, body: str):
    """It may be accepted; whatever may be a call may not."""
    text = (CALLS | ONLY_NAMES)[body]
    retire(
        operator,
        "create function consume_user_credits(a text) returns boolean language plpgsql as"
        f" $function${text}$function$",
    )
    with operator.untouched():
        answer = operator.try_apply()
    code = "CLEANUP-KEPT-BREAKS" if body in CALLS else "CLEANUP-UNTRACKED"
    kept = [f for f in answer.report["refused"] if "consume_user_credits" in f["object"]]
    assert [f["code"] for f in kept] == [code]


GOES_ON = {
    "foreign_key": (
        "alter table credit_transactions add pool text references credit_pools (provider);"
        "alter table credit_transactions owner to pool_clerk;"
        "alter table credit_pools owner to pool_clerk",
        "insert into credit_transactions (transaction_type, credits_used, pool)"
        " values ('deduction', 1, 'fal_ai')",
    ),
    "policy": (
        "create policy p on user_credits for select to pool_clerk"
        " using (exists (select from credit_pools));"
        "grant select on user_credits, credit_pools to pool_clerk",
        "set role pool_clerk; select 1 / count(*) from user_credits",
    ),
    "view": (
        "create view v as select provider from credit_pools",
        "select 1 / count(*) from v",
    ),
    "account_deletion": (
        "alter table credit_purchase_requests owner to pool_clerk;"
        "alter table auth.users owner to pool_clerk; grant usage on schema auth to pool_clerk",
        "insert into auth.users values ('00000000-0000-0000-0000-000000000007');"
        "delete from auth.users where id = '00000000-0000-0000-0000-000000000007'",
    ),
}


@pytest.mark.parametrize("thing", GOES_ON)
def test_what_is_said_to_go_on_working_does(operator: Operator, thing: str):
    """A foreign key is checked as the tables' owner, who need not be the operator."""
    setup, use = GOES_ON[thing]
    operator.database.execute(
        "do $$ begin create role pool_clerk; exception when duplicate_object then null; end $$;"
        "grant usage on schema public to pool_clerk;" + setup
    )
    operator.user = operator.database.server.user
    names = [f["object"] for f in operator.plan().find("CLEANUP-DEPENDENTS")]
    with operator.untouched():
        assert operator.apply(accept=(SYNC, *names)).success
        operator.database.execute(f"begin; {use}; rollback")
        assert operator.run("restore").success
    operator.database.execute(
        f"reassign owned by pool_clerk to {OPERATOR}; drop owned by pool_clerk"
    )
