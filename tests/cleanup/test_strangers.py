"""Code of a stranger, wherever a plain role can leave it, never runs as the operator."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app_database import PROJECT, AppDatabase
from tests.cleanup.operator import OPERATOR, SYNC, Operator
from tests.poolers import needs_pooler, pooler_of

# What a plain role that may create in `public`, and holds every privilege on a table, can leave.
STRANGER = """
do $$ begin create role stranger login; exception when duplicate_object then null; end $$;
create schema if not exists seen;
create table seen.calls (what text, who text default current_user);
grant usage on schema seen to public;
grant insert on seen.calls to public;
grant usage, create on schema public to stranger;
create extension if not exists plpgsql;
"""

# Every function and operator of the catalogue that an exact argument list could beat, by types
# that the clean-up uses; each body writes who called it.
PLANT = r"""
set search_path = pg_catalog;  -- else the traps catch the one who sets them
do $plant$
declare
    item record;
    arguments text;
    types text[];
begin
    for item in
        select distinct on (proname, kinds) proname, kinds, result
        from pg_catalog.pg_proc
        cross join lateral (
            select array_agg(case
                when t in ('"any"'::regtype, 'anyelement'::regtype, 'anycompatible'::regtype)
                    then 'text'
                when t in ('anyarray'::regtype, 'anycompatiblearray'::regtype) then 'text[]'
                else format_type(t, null) end order by o) as kinds
            from unnest(proargtypes::oid[]) with ordinality as u (t, o)
        ) as a
        cross join lateral (select format_type(prorettype, null) as result) as r
        where pronamespace = 'pg_catalog'::regnamespace and prokind = 'f' and not proretset
            and pronargs between 0 and 4
            and prorettype::regtype::text !~ 'any|internal|trigger|handler|cstring|record|void'
            and not exists (
                select from unnest(proargtypes::oid[]) as t
                where t::regtype::text ~ 'internal|cstring|any[a-z]*range|record|anyenum|anynon')
            and proname in (
                'set_config', 'current_setting', 'format', 'md5', 'concat', 'concat_ws', 'lower',
                'upper', 'replace', 'regexp_replace', 'left', 'btrim', 'strpos', 'split_part',
                'coalesce', 'host', 'now', 'clock_timestamp', 'pg_backend_pid', 'pg_get_userbyid',
                'pg_has_role', 'has_schema_privilege', 'has_table_privilege', 'to_regclass',
                'has_database_privilege', 'quote_ident', 'quote_literal', 'decode', 'convert_from',
                'pg_sleep', 'pg_notify', 'pg_try_advisory_xact_lock', 'hashtextextended',
                'date_trunc', 'make_interval', 'pg_is_in_recovery', 'current_database',
                'jsonb_build_object', 'to_jsonb', 'pg_get_expr', 'pg_get_constraintdef',
                'format_type', 'encode', 'obj_description', 'pg_size_pretty', 'substr',
                'pg_total_relation_size', 'pg_stat_get_tuples_inserted', 'row_security_active',
                'oidvectortypes', 'translate', 'string_to_array', 'pg_export_snapshot',
                'transaction_timestamp', 'pg_get_function_identity_arguments', 'inet_server_addr')
    loop
        arguments := coalesce(array_to_string(item.kinds, ', '), '');
        for types in select a from (values
            (item.kinds),
            (array_replace(item.kinds, 'text', 'name')),
            (array_replace(item.kinds, 'text', 'character varying')),
            (array_replace(item.kinds, 'bigint', 'integer'))
        ) as v (a)
        loop
            begin
                execute format(
                    'create or replace function public.%I(%s) returns %s language plpgsql as $b$
                    begin insert into seen.calls (what) values (%L);
                    return null; end $b$',
                    item.proname, array_to_string(types, ', '), item.result, item.proname);
            exception when others then null;
            end;
        end loop;
    end loop;
    for item in
        select distinct oprname, l, r, format_type(oprresult, null) as result
        from pg_catalog.pg_operator
        cross join (values ('text'), ('name'), ('oid'), ('integer'), ('bigint'), ('boolean'),
            ('"char"'), ('jsonb'), ('smallint'), ('character varying'), ('uuid'),
            ('timestamp with time zone')) as a (l)
        cross join (values ('text'), ('name'), ('oid'), ('integer'), ('bigint'), ('boolean'),
            ('"char"'), ('jsonb'), ('smallint'), ('character varying'), ('uuid'), ('text[]'),
            ('interval'), ('timestamp with time zone')) as b (r)
        where oprname in ('=', '<>', '<', '>', '||', '->', '->>', '?', '~', '~*', '!~', '-', '+',
            '&') and oprresult in ('boolean'::regtype, 'text'::regtype, 'jsonb'::regtype,
            'bigint'::regtype, 'interval'::regtype)
    loop
        begin
            execute format(
                'create or replace function public.planted(%s, %s) returns %s language plpgsql
                as $b$ begin
                    insert into seen.calls (what) values (''operator''); return null;
                end $b$',
                item.l, item.r, item.result);
            execute format(
                'create operator public.%s
                (function = public.planted, leftarg = %s, rightarg = %s)',
                item.oprname, item.l, item.r);
        exception when others then null;
        end;
    end loop;
    -- Types whose names a cast could find first.
    execute 'create domain public.text as pg_catalog.text check (false)';
    execute 'create domain public.oid as pg_catalog.oid check (false)';
    execute 'create domain public.jsonb as pg_catalog.jsonb check (false)';
    execute 'create domain public.regclass as pg_catalog.regclass check (false)';
    -- Relations that a name alone would find.
    foreach arguments in array array['pg_class', 'pg_proc', 'pg_namespace', 'pg_depend', 'pg_roles',
        'pg_stat_activity', 'pg_stat_statements', 'pg_constraint', 'pg_trigger', 'pg_locks']
    loop
        execute format('create function public.bait_%s() returns text language plpgsql as
            $b$ begin insert into seen.calls (what) values (%L); return null; end $b$',
            arguments, arguments);
        execute format(
            'create view public.%I as
            select public.bait_%s() as query, public.bait_%s() as relname',
            arguments, arguments, arguments);
        execute format('grant select on public.%I to public', arguments);
    end loop;
end
$plant$;
"""
SPY = """
create function public.spy() returns trigger language plpgsql as
'begin insert into seen.calls (what) values (tg_op); return coalesce(new, old); end'
"""


@pytest.fixture
def hostile(operator: Operator) -> Iterator[Operator]:
    """The operator where a stranger has planted what he may; the app's schema is searched first."""
    database = operator.database
    database.execute(STRANGER)
    role = f"alter role {OPERATOR} in database {database.name}"
    try:
        yield operator
        seen = database.query("select what, who from seen.calls where who <> 'stranger'")
        assert seen == []
    finally:
        database.execute(f"{role} reset search_path")
        database.execute("drop owned by stranger cascade")


def plant(database: AppDatabase) -> None:
    """What the stranger leaves in `public`, found before the catalogue by the operator's path."""
    database.execute(PLANT, user="stranger")
    database.execute(
        f"alter role {OPERATOR} in database {database.name} set search_path = public, pg_catalog;"
        # Who looks at the outcome need not be caught.
        f"alter role {database.server.user} in database {database.name}"
        " set search_path = pg_catalog"
    )
    planted = database.query(
        "select count(*) filter (where proname <> 'planted') as functions,"
        " (select count(*) from pg_operator where oprnamespace = 'public'::regnamespace)"
        " as operators from pg_proc where pronamespace = 'public'::regnamespace"
        " and proowner = 'stranger'::regrole"
    )[0]
    assert planted["functions"] > 80
    assert planted["operators"] > 100


def back_up(operator: Operator, file: Path) -> subprocess.CompletedProcess:
    """The backup as a person makes it."""
    return subprocess.run(
        [sys.executable, "-m", "backup", str(file)],
        cwd=PROJECT,
        env={**os.environ, **operator.database.environment(operator.user)},
        capture_output=True,
        text=True,
    )


def test_planted_names_are_never_called(hostile: Operator, tmp_path: Path):
    """Not by a step that reads or writes, nor by the backup; the plan names who may create."""
    plant(hostile.database)
    caught = hostile.database.query("select lower('a'::pg_catalog.text) as b", user=OPERATOR)
    assert caught == [{"b": None}], "the trap is not set"
    hostile.database.execute("delete from seen.calls")
    with hostile.untouched():
        plan = hostile.plan(accept=[SYNC])
        assert plan.success, plan.text
        assert "stranger" in plan.find("CREATORS")[0]["detail"]
        assert hostile.run("rehearse", accept=[SYNC]).success
        assert hostile.apply().success
        for action in ("verify", "status"):
            assert hostile.run(action).success
        done = back_up(hostile, tmp_path / "pool.dump")
        assert done.returncode == 0, done.stderr
        assert "recorded for purge" in done.stderr
        assert hostile.run("restore").success
    assert hostile.apply().success
    hostile.database.execute(
        "update cleanup_archive.cleanup_manifest set archived_at = archived_at - interval '31 days'"
    )
    assert back_up(hostile, tmp_path / "again.dump").returncode == 0
    confirm = hostile.run("purge").report["plan_hash"]
    assert hostile.run("purge", confirm=confirm).success


TRIGGERS = {
    "delete": ("after delete on system_alerts for each row", "apply"),
    "delete_statement": ("before delete on system_alerts for each statement", "apply"),
    "deferred": (None, "apply"),
    "insert": ("before insert on system_alerts for each row", "restore"),
}


@pytest.mark.parametrize("kind", TRIGGERS)
def test_a_trigger_of_a_stranger_refuses_whatever_is_accepted(hostile: Operator, kind: str):
    """`anon` holds TRIGGER on the alerts, as production grants it."""
    when, refused = TRIGGERS[kind]
    database = hostile.database
    database.execute("grant trigger on system_alerts to stranger")
    database.execute(SPY, user="stranger")
    database.execute(
        f"create trigger spy {when} execute function spy()"
        if when
        else "create constraint trigger spy after delete on system_alerts deferrable"
        " initially deferred for each row execute function spy()",
        user="stranger",
    )
    accept = (SYNC, "trigger spy on system_alerts")
    if refused == "apply":
        with hostile.untouched():
            answer = hostile.apply(accept=accept)
            assert answer.codes == ["CLEANUP-UNTRUSTED"]
            assert "stranger" in answer.text
            assert "CLEANUP-UNTRUSTED" in hostile.run("rehearse", accept=list(accept)).codes
    else:
        assert hostile.plan(accept=list(accept)).find("CLEANUP-UNTRUSTED")[0]["level"] == "warn"
        assert hostile.apply(accept=accept).success
        with hostile.nothing_lost():
            answer = hostile.run("restore", accept=list(accept))
            assert answer.codes == ["CLEANUP-UNTRUSTED"]
    database.execute("alter table system_alerts disable trigger spy")
    if refused == "restore":
        assert hostile.run("restore").success


CALLED = {
    "check": "alter table system_alerts add check (strange(level)) not valid",
    "domain": "create domain mood as text check (strange(value));"
    "alter table system_alerts add mood mood",
    "index": "create index on system_alerts (level) where strange(level)",
    "generated": "alter table system_alerts add odd boolean generated always as"
    " (strange(level)) stored",
    "index_of_a_target": "create index on credit_pools (provider) where strange(provider)",
    "rule": "create rule r as on delete to system_alerts where strange(old.level)"
    " do instead nothing",
}


@pytest.mark.parametrize("kind", CALLED)
def test_a_function_of_a_stranger_in_an_expression_refuses(hostile: Operator, kind: str):
    """The owner may have used it; its owner may give it another body at any time."""
    database = hostile.database
    body = "create or replace function public.strange(a text) returns boolean language {}"
    database.execute(body.format("sql immutable as 'select true'"), user="stranger")
    database.execute(CALLED[kind])
    trap = "plpgsql immutable as 'begin insert into seen.calls (what) values (a); return true; end'"
    database.execute(body.format(trap), user="stranger")
    names = ["rule r on system_alerts"]
    with hostile.untouched():
        assert "CLEANUP-UNTRUSTED" in hostile.plan(accept=[SYNC, *names]).codes
        answer = hostile.run("rehearse", accept=[SYNC, *names, "function public.strange(text)"])
        assert answer.codes == ["CLEANUP-UNTRUSTED"]


def test_tables_that_lose_rows_with_the_alerts_are_looked_at_too(hostile: Operator):
    """A stranger may reference the alerts, and give his table a trigger."""
    database = hostile.database
    database.execute("grant references, select on system_alerts to stranger")
    database.execute(
        SPY + "; create table public.acks (id uuid references system_alerts on delete cascade);"
        "create trigger spy after delete on public.acks for each row execute function spy()",
        user="stranger",
    )
    name = "constraint acks_id_fkey on acks"
    with hostile.untouched():
        assert hostile.apply(accept=(SYNC, name)).codes == ["CLEANUP-UNTRUSTED"]
    database.execute("drop table public.acks", user="stranger")


def test_an_event_trigger_with_a_function_of_a_stranger_refuses(hostile: Operator):
    """It would run at every change that apply makes."""
    database = hostile.database
    database.execute(
        "create function public.spy_ddl() returns event_trigger language plpgsql as"
        " 'begin insert into seen.calls (what) values (tg_tag); end'",
        user="stranger",
    )
    database.execute("create event trigger spy on ddl_command_end execute function spy_ddl()")
    database.execute("delete from seen.calls")
    with hostile.untouched():
        assert hostile.apply().codes == ["CLEANUP-UNTRUSTED"]
        # Making a function would run it: not even a step that only reads may do that.
        for action in ("plan", "rehearse", "verify", "status", "restore", "purge"):
            answer = hostile.run(action)
            assert answer.codes == ["CLEANUP-UNTRUSTED"]
            assert "belongs to role stranger" in answer.text
    assert database.query("select * from seen.calls") == []
    database.execute("drop event trigger spy")
    database.execute("delete from seen.calls")


def test_an_event_trigger_that_looks_names_up_where_others_create_refuses(hostile: Operator):
    """Its body is a superuser's, what it calls need not be."""
    database = hostile.database
    database.execute(
        "create function note_ddl() returns event_trigger language plpgsql"
        " set search_path = extensions, public as"
        " 'begin insert into seen.calls (what) values (tg_tag); end';"
        "create event trigger note on ddl_command_end execute function note_ddl()"
    )
    with hostile.untouched():
        answer = hostile.plan()
        assert answer.codes == ["CLEANUP-UNTRUSTED"]
        assert "schema public, where stranger may create" in answer.text
    assert database.query("select * from seen.calls where who = 'app_owner'") == []
    database.execute("revoke create on schema public from stranger")
    assert hostile.apply().success
    database.execute("drop event trigger note; delete from seen.calls")


def test_a_trusted_trigger_that_looks_names_up_where_others_create_refuses(hostile: Operator):
    """Its body is the owner's, what it calls need not be."""
    database = hostile.database
    database.execute(
        "create function note() returns trigger language plpgsql set search_path = public as"
        " 'begin perform format(''a'', old.level); return old; end';"
        "alter function note() owner to app_owner;"
        "create trigger note before delete on system_alerts for each row execute function note()"
    )
    accept = (SYNC, "trigger note on system_alerts")
    with hostile.untouched():
        answer = hostile.apply(accept=accept)
        assert answer.codes == ["CLEANUP-UNTRUSTED"]
        assert "schema public, where stranger may create" in answer.text
    database.execute("revoke create on schema public from stranger")
    assert hostile.apply(accept=accept).success


@pytest.mark.parametrize("action", ["plan", "apply", "verify", "status", "restore", "purge"])
def test_an_archive_that_a_stranger_made_is_left_alone(hostile: Operator, action: str):
    """A superuser is a member of every role: that it may use the schema says nothing."""
    database = hostile.database
    database.execute(f"grant create on database {database.name} to stranger")
    database.execute(
        SPY + "; create schema cleanup_archive;"
        "grant all on schema cleanup_archive to public;"
        "create function public.bait() returns text language plpgsql as"
        " 'begin insert into seen.calls (what) values (''bait''); return ''x''; end';"
        "create view cleanup_archive.cleanup_manifest as select public.bait() as state;"
        "create table cleanup_archive.cleanup_backups (file_name text, sha256 text,"
        " row_counts jsonb, made_at timestamptz);"
        "create trigger spy before insert on cleanup_archive.cleanup_backups"
        " for each row execute function spy();"
        "grant all on all tables in schema cleanup_archive to public",
        user="stranger",
    )
    hostile.user = database.server.user
    with hostile.untouched():
        answer = hostile.run(action, accept=[SYNC])
    assert "CLEANUP-ARCHIVE-OWNER" in answer.codes
    database.execute("drop schema cleanup_archive cascade", user="stranger")


def test_the_backup_writes_to_no_table_of_a_stranger(hostile: Operator, tmp_path: Path):
    """The dump itself is made; where it would be recorded is not what the clean-up made."""
    database = hostile.database
    database.execute(f"grant create on database {database.name} to stranger")
    database.execute(
        SPY + "; create schema cleanup_archive; grant all on schema cleanup_archive to public;"
        "create table cleanup_archive.cleanup_backups (file_name text, sha256 text,"
        " row_counts jsonb, made_at timestamptz);"
        "create trigger spy before insert on cleanup_archive.cleanup_backups"
        " for each row execute function spy();"
        "grant all on all tables in schema cleanup_archive to public",
        user="stranger",
    )
    hostile.user = database.server.user
    done = back_up(hostile, tmp_path / "pool.dump")
    assert done.returncode == 1
    assert "is not the plain table" in " ".join(done.stderr.split())
    database.execute("drop schema cleanup_archive cascade", user="stranger")


@needs_pooler
def test_what_a_session_holds_already_is_not_called(operator: Operator):
    """Behind a pooler, a session holds the temporary objects of somebody who had it before."""
    planted = """
        create temporary table system_alerts (id uuid, type text);
        create temporary table credit_pools (id uuid);
        create temporary view pg_class as select 1 as one;
        create temporary view pg_locks as select 1 as one;
        create domain pg_temp.text as pg_catalog.text check (false);
        create domain pg_temp.jsonb as pg_catalog.jsonb check (false);
        create function pg_temp.lower(pg_catalog.text) returns pg_catalog.text language plpgsql as
            'begin insert into public.planted_calls values (''lower''); return null; end';
        create function pg_temp.joined(pg_catalog.name, pg_catalog.name)
            returns pg_catalog.text language plpgsql as
            'begin insert into public.planted_calls values (''joined''); return null; end';
        create operator pg_temp.|| (
            function = pg_temp.joined, leftarg = pg_catalog.name, rightarg = pg_catalog.name
        );
    """
    # Functions named as the clean-up's own, which an exact or a looser argument list would beat.
    for name, arguments in (
        ("cleanup_plan", "pg_catalog.jsonb"),
        ("cleanup_find", "pg_catalog.json"),
        ("cleanup_done", "pg_catalog.varchar, pg_catalog.text, pg_catalog.jsonb"),
        ("cleanup_check", "pg_catalog.jsonb, pg_catalog.varchar, pg_catalog.jsonb"),
        ("cleanup_other", ""),
    ):
        planted += f"""
            create function pg_temp.{name}({arguments}) returns pg_catalog.jsonb language plpgsql as
                'begin insert into public.planted_calls values (''{name}''); return null; end';
        """
    operator.database.execute("create table public.planted_calls (what text)")
    with pooler_of(operator.database, OPERATOR) as pooler:
        way = Operator(AppDatabase(pooler, operator.database.name))
        way.database.execute(planted)
        with operator.untouched():
            assert way.plan(accept=[SYNC]).success
            assert way.apply().success
            assert way.run("verify").success
            assert way.run("restore").success
    assert operator.database.query("select what from public.planted_calls") == []
