"""A session serves one node after another, and each finds it as if it were new."""

import pytest

from small_project import DATABASE, ROLE, SmallProject, soon_gone  # isort: skip

OTHERS = f"""from pg_stat_activity where datname = '{DATABASE}' and pid <> pg_backend_pid()
    and application_name !~ 'run lock'"""
WHAT_IS_LEFT = """
{{ config(materialized='table') }}
select pg_backend_pid() as process, current_setting('work_mem') as work_mem,
    current_setting('client_encoding') as encoding, current_setting('search_path') as search_path,
    current_user::text as role,
    (select count(*) from pg_class where relnamespace = pg_my_temp_schema()) as temporary,
    (select count(*) from pg_prepared_statements) as prepared,
    (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks
"""
LEAVING = """
{{ config(materialized='table', post_hook=[
    "set work_mem = '9MB'", "set client_encoding = 'LATIN1'", "set search_path = public",
    "create temporary table things (id int)", "prepare asked as select 1",
    "select pg_catalog.pg_advisory_lock(7)", {"sql": "set role other", "transaction": false}
]) }}
select pg_backend_pid() as process
"""


@pytest.mark.parametrize("target", [{}, {"autocommit": True}, {"role": ROLE}])
def test_nothing_of_a_node_is_left_to_the_next(any_project: SmallProject, target: dict) -> None:
    """Neither settings nor the role, temporary tables, prepared statements or locks."""
    any_project.configure(threads=1, **target)
    any_project.execute(
        f"drop role if exists other; create role other; grant other to {ROLE};"
        f"alter role {ROLE} set client_encoding = 'LATIN1'"
    )
    any_project.write("models/a.sql", LEAVING)
    any_project.write("models/b.sql", WHAT_IS_LEFT + "-- depends_on: {{ ref('a') }}")
    run = any_project.dbt()
    assert run.success, run.text
    ((process,),) = any_project.query("select process from marts.a")
    ((work_mem,),) = any_project.query("show work_mem")
    left = [process, work_mem, "UTF8", "pg_catalog, pg_temp", ROLE, 0, 0, 0]
    assert any_project.query("select * from marts.b") == [tuple(left)]


def test_a_run_opens_no_more_sessions_than_it_uses_at_once(project: SmallProject) -> None:
    """And leaves none behind."""
    for number in range(12):
        text = "{{ config(materialized='table') }} select pg_backend_pid() as process"
        project.write(f"models/m{number}.sql", text)
    run = project.dbt()
    assert run.success, run.text
    union = " union ".join(f"select process from marts.m{number}" for number in range(12))
    assert 1 <= len(project.query(union)) <= 2
    assert soon_gone(lambda: project.query(f"select query {OTHERS}")) == []


def test_a_session_that_was_ended_meanwhile_is_replaced(project: SmallProject) -> None:
    """By the server or a pooler, while no node used it."""
    project.configure(threads=1)
    for number in range(3):
        project.write(f"models/m{number}.sql", WHAT_IS_LEFT)
    ended = []

    def end_idle_sessions(text: str) -> None:
        if "START" in text:
            idle = f"{OTHERS} and query = 'discard all'"
            ended.extend(project.query(f"select pg_terminate_backend(pid) {idle}"))

    run = project.dbt(listen=end_idle_sessions)
    assert run.success, run.text
    assert len(ended) >= 2
    union = " union ".join(f"select process from marts.m{number}" for number in range(3))
    assert len(project.query(union)) == 3


def test_an_operation_leaves_no_session_behind(project: SmallProject) -> None:
    """In a process that lives on, such as a scheduler's."""
    project.write("macros/a.sql", "{% macro ask() %}{% do run_query('select 1') %}{% endmacro %}")
    for command in (("run-operation", "ask"), ("compile", "--inline", "select {{ ask() }} 1")):
        run = project.dbt(*command)
        assert run.success, run.text
        assert soon_gone(lambda: project.query(f"select query {OTHERS}")) == []
