"""`table` and `incremental`: what dbt promises of SQL models holds for Python ones."""

import threading
import time

import pytest
from dbt_project import DbtProject

NUMBERS = """
import pandas as pd

def model(dbt, session):
    return pd.DataFrame({{"id": {ids}, "note": "{note}"}})
"""
INCREMENTAL = """
import pandas as pd

def model(dbt, session):
    dbt.config(materialized="incremental"{config})
    if not dbt.is_incremental:
        return pd.DataFrame({{"id": [1, 2], "note": "first"}})
    return pd.DataFrame({second})
"""
SECOND = '{{"id": [2, 3], "note": "second"}}'


def _incremental(
    project: DbtProject, config: str = "", second: str = SECOND, **yaml: object
) -> None:
    code = INCREMENTAL.format(config=config, second=second.format())
    project.model("grown", code, **yaml)


def _rows(project: DbtProject, table: str) -> list[tuple]:
    return project.query(f"select * from marts.{table} order by 1, 2")


def test_table_is_built_and_rebuilt(any_dbt_project: DbtProject) -> None:
    """Twice over, then with other columns; a SQL model beside it goes dbt's own way."""
    project = any_dbt_project
    project.write("models/doubled.sql", "select id * 2 as id from {{ ref('numbers') }}")
    project.model("numbers", NUMBERS.format(ids=[1, 2], note="a"))
    project.run()
    project.run()
    assert _rows(project, "numbers") == [(1, "a"), (2, "a")]
    assert project.query("select id from marts.doubled order by 1") == [(2,), (4,)]
    project.write("models/numbers.py", NUMBERS.format(ids=[9], note="b").replace("note", "text"))
    project.run()
    assert list(project.types("numbers")) == ["id", "text"]
    assert project.tables() == {"numbers", "doubled"}


def test_table_replaces_a_view(dbt_project: DbtProject) -> None:
    """And an incremental one does, too."""
    dbt_project.execute(
        "create schema marts; create view marts.numbers as select 1 as old;"
        "create view marts.grown as select 1 as old"
    )
    dbt_project.model("numbers", NUMBERS.format(ids=[1], note="a"))
    _incremental(dbt_project)
    dbt_project.run()
    assert _rows(dbt_project, "numbers") == [(1, "a")]
    assert _rows(dbt_project, "grown") == [(1, "first"), (2, "first")]


def test_a_long_query_does_not_make_others_wait(dbt_project: DbtProject) -> None:
    """While one reader keeps the old table from being replaced, the next ones are served."""
    dbt_project.model("numbers", NUMBERS.format(ids=[1], note="a"))
    dbt_project.run()
    dbt_project.model("numbers", NUMBERS.format(ids=[2], note="b"))
    rebuild = threading.Thread(target=dbt_project.dbt, args=("run", "--full-refresh"))
    with dbt_project.connect() as reader, dbt_project.connect() as other:
        reader.execute("begin; select * from marts.numbers")
        rebuild.start()
        while not dbt_project.query(
            "select 1 from pg_locks where mode = 'AccessExclusiveLock' and not granted"
        ):
            assert rebuild.is_alive()
        other.execute("set lock_timeout = '500ms'")
        until = time.monotonic() + 2
        while time.monotonic() < until:
            other.execute("select id from marts.numbers")
            assert other.fetchall() == [(1,)]
        reader.execute("rollback")
        rebuild.join()
    assert _rows(dbt_project, "numbers") == [(2, "b")]


def test_what_depends_on_a_table_stays(dbt_project: DbtProject) -> None:
    """Rows are replaced where they stand; views follow new columns, or nothing is changed."""
    dbt_project.model("numbers", NUMBERS.format(ids=[1], note="a"))
    dbt_project.run()
    dbt_project.execute("create view marts.report as select note from marts.numbers")
    ((oid,),) = dbt_project.query("select 'marts.numbers'::regclass::oid")
    dbt_project.model("numbers", NUMBERS.format(ids=[2], note="b"))
    dbt_project.run()
    assert dbt_project.query("select note from marts.report") == [("b",)]
    assert dbt_project.query("select 'marts.numbers'::regclass::oid") == [(oid,)]

    more = NUMBERS.format(ids=[3], note="c").replace('"note"', '"more": 1, "note"')
    dbt_project.model("numbers", more)
    dbt_project.run()
    assert dbt_project.query("select note from marts.report") == [("c",)]
    assert list(dbt_project.types("numbers")) == ["id", "more", "note"]

    dbt_project.model("numbers", more.replace('"note": "c"', '"other": "d"'))
    assert "view marts.report depends on table marts.numbers" in dbt_project.error("numbers")
    assert dbt_project.query("select note from marts.report") == [("c",)]
    assert dbt_project.tables() == {"numbers", "report"}


def test_what_was_made_on_a_table_by_hand_stays(dbt_project: DbtProject) -> None:
    """Triggers and policies, which go with a dropped table."""
    dbt_project.model("numbers", NUMBERS.format(ids=[1], note="a"))
    dbt_project.run()
    dbt_project.execute("create policy shown on marts.numbers using (id > 0)")
    dbt_project.model("numbers", NUMBERS.format(ids=[2], note="b"))
    dbt_project.run()
    assert dbt_project.query("select id from marts.numbers") == [(2,)]
    assert dbt_project.query("select polname from pg_policy") == [("shown",)]


def test_hooks_grants_indexes_docs_and_tags(dbt_project: DbtProject) -> None:
    """Everything a SQL model's configuration does, in the model's own transaction."""
    project = dbt_project
    project.execute(
        "create schema marts; create table marts.trace (step text, xid xid8);"
        "drop role if exists panel; create role panel"
    )
    step = "insert into marts.trace values ('{}', pg_current_xact_id())"
    project.model(
        "numbers",
        """
        def model(dbt, session):
            return session.sql("select 1 as id, step, pg_current_xact_id()::text as xid,"
                               " current_setting('TimeZone') as zone from marts.trace")
        """,
        description="One row for each 'step'.",
        columns=[{"name": "id", "description": 'The "id".'}],
        config={
            "tags": ["python"],
            "unlogged": True,
            "pre_hook": step.format("before"),
            "post_hook": [
                step.format("after"),
                {"sql": step.format("outside"), "transaction": False},
                "insert into marts.trace select current_setting('TimeZone'), null",
            ],
            "grants": {"select": ["panel"]},
            "indexes": [{"columns": ["id"], "unique": True}, {"columns": ["step"], "type": "hash"}],
            "persist_docs": {"relation": True, "columns": True},
        },
    )
    project.execute("alter role all set timezone = 'Asia/Tokyo'")
    result = project.dbt("run", "--select", "tag:python")
    project.execute("alter role all reset timezone")
    assert result.success, result.result.results[0].message
    ((_, seen, xid, zone),) = project.query("select * from marts.numbers")
    assert (seen, zone) == ("before", "UTC")
    steps = dict(project.query("select step, xid::text from marts.trace"))
    assert steps["before"] == steps["after"] == xid != steps["outside"]
    assert "Asia/Tokyo" in steps  # the hooks' own settings are theirs again
    assert project.query(
        "select privilege_type from information_schema.role_table_grants"
        " where table_name = 'numbers' and grantee = 'panel'"
    ) == [("SELECT",)]
    assert project.query(
        "select obj_description(oid), col_description(oid, 1), relpersistence"
        " from pg_class where oid = 'marts.numbers'::regclass"
    ) == [("One row for each 'step'.", 'The "id".', "u")]
    indexes = project.query(
        "select indexdef from pg_indexes where tablename = 'numbers' order by indexdef"
    )
    assert ["UNIQUE" in definition for (definition,) in indexes] == [False, True]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("", [(1, "first"), (2, "first"), (2, "second"), (3, "second")]),
        (", unique_key='id'", [(1, "first"), (2, "second"), (3, "second")]),
        (
            ", unique_key='id', incremental_strategy='merge'",
            [(1, "first"), (2, "second"), (3, "second")],
        ),
        (
            ", unique_key=['id'], incremental_strategy='merge', merge_exclude_columns=['note']",
            [(1, "first"), (2, "first"), (3, "second")],
        ),
        (
            ", unique_key='id', incremental_strategy='delete+insert',"
            " incremental_predicates=['id > 2']",
            [(1, "first"), (2, "first"), (2, "second"), (3, "second")],
        ),
    ],
    ids=["append", "default", "merge", "merge_exclude", "predicates"],
)
def test_incremental_strategies(
    config: str, expected: list[tuple], dbt_project: DbtProject
) -> None:
    """One run builds, the next one adds."""
    _incremental(dbt_project, config)
    dbt_project.run()
    assert _rows(dbt_project, "grown") == [(1, "first"), (2, "first")]
    dbt_project.run()
    assert _rows(dbt_project, "grown") == expected
    assert dbt_project.tables() == {"grown"}


def test_full_refresh_and_this(dbt_project: DbtProject) -> None:
    """--full-refresh starts anew; `dbt.this` is the table as it stands."""
    dbt_project.model(
        "grown",
        """
        import pandas as pd

        def model(dbt, session):
            dbt.config(materialized="incremental", indexes=[{"columns": ["id"]}])
            start = 0
            if dbt.is_incremental:
                start = int(session.sql(f"select max(id) as id from {dbt.this}").id[0])
            return pd.DataFrame({"id": [start + 1]})
        """,
    )
    for _ in range(3):
        dbt_project.run()
    assert _ids(dbt_project) == [1, 2, 3]
    assert dbt_project.dbt("run", "--full-refresh").success
    assert _ids(dbt_project) == [1]
    assert dbt_project.query("select count(*) from pg_indexes where tablename = 'grown'") == [(1,)]
    assert dbt_project.tables() == {"grown"}


def _ids(project: DbtProject) -> list[int]:
    return [value for (value,) in project.query("select id from marts.grown order by id")]


NEW_COLUMN = '{{"id": [3], "extra": [1.5]}}'


@pytest.mark.parametrize(
    ("change", "columns"),
    [
        ("ignore", None),
        ("append_new_columns", ["id", "note", "extra"]),
        ("sync_all_columns", ["id", "extra"]),
    ],
)
def test_on_schema_change(change: str, columns: list[str] | None, dbt_project: DbtProject) -> None:
    """As dbt does for SQL; ignoring a column that went is PostgreSQL's error, not a loss."""
    _incremental(dbt_project, f", on_schema_change='{change}'", NEW_COLUMN)
    dbt_project.run()
    if columns is None:
        assert 'column "note" does not exist' in dbt_project.error("grown")
        return
    dbt_project.run()
    assert list(dbt_project.types("grown")) == columns
    assert dbt_project.query("select extra from marts.grown where id = 3") == [(1.5,)]


def test_on_schema_change_fail(dbt_project: DbtProject) -> None:
    """A changed column stops the run, and the table is as it was."""
    _incremental(dbt_project, ", on_schema_change='fail'", NEW_COLUMN)
    dbt_project.run()
    assert "out of sync" in dbt_project.error("grown")
    assert _rows(dbt_project, "grown") == [(1, "first"), (2, "first")]


def test_incremental_types_are_the_tables(dbt_project: DbtProject) -> None:
    """An added value that does not fit the table's type is an error, never rounded."""
    _incremental(dbt_project, second='{{"id": [3.5], "note": "second"}}')
    dbt_project.run()
    assert "invalid input syntax for type bigint" in dbt_project.error("grown")


def test_declared_type_against_the_tables(dbt_project: DbtProject) -> None:
    """A newly declared type needs a full refresh, and says so."""
    _incremental(dbt_project)
    dbt_project.run()
    _incremental(dbt_project, columns=[{"name": "id", "data_type": "numeric(4, 1)"}])
    assert "is declared as numeric(4,1), the table has bigint" in dbt_project.error("grown")
    assert dbt_project.dbt("run", "--full-refresh").success
    assert dbt_project.types("grown")["id"] == "numeric(4,1)"


def test_build_with_tests_and_retry(dbt_project: DbtProject) -> None:
    """Tests run after a Python model; `dbt retry` takes up where a run failed."""
    dbt_project.write("models/after.sql", "select id from {{ ref('numbers') }}")
    dbt_project.model(
        "numbers",
        "def model(dbt, session):\n    return session.sql('select id from raw_numbers')\n",
        columns=[{"name": "id", "data_tests": ["unique", "not_null"]}],
    )
    assert not dbt_project.dbt("build").success
    dbt_project.execute("create table raw_numbers as select 1 as id")
    retried = dbt_project.dbt("retry")
    assert retried.success
    assert len(retried.result.results) == 4


def test_threads_run_models_side_by_side(dbt_project: DbtProject) -> None:
    """Each on its own connection, with its own session."""
    for name in "abcd":
        dbt_project.model(
            name,
            f"""
            def model(dbt, session):
                return session.sql("select '{name}' as name, pg_sleep(0.2)::text as slept")
            """,
        )
    result = dbt_project.dbt("run", "--threads", "4")
    assert result.success
    assert [dbt_project.query(f"select name from marts.{name}") for name in "abcd"] == [
        [(name,)] for name in "abcd"
    ]
