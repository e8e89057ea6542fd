"""What a run leaves as it is: rows and views that would come back the same."""

from datetime import timedelta

import pytest

from tests.app_database import BUILD_ROLE, AppDatabase, messages
from tests.incremental.conftest import AS_OF, ZONE, change_one_charge
from tests.incremental.rebuild import assert_equals_rebuild, run, run_without


def written_by(database: AppDatabase) -> dict[str, int]:
    """Rows ever written to each incremental table, as the server counts them."""
    database.execute("select pg_stat_force_next_flush()")
    return {
        row["relname"]: row["written"]
        for row in database.query(
            """select relname, n_tup_ins + n_tup_upd + n_tup_del as written
               from pg_stat_user_tables where relname in ('fct_generations', 'int_ledger_synced',
                   'int_refunds_matched', 'int_bare_charges_matched', 'daily_usage')"""
        )
    }


def test_a_run_that_finds_nothing_new_writes_nothing(built: AppDatabase) -> None:
    """The third run in a row leaves the tables alone; a change that keeps all counts is seen."""
    for _ in range(2):
        run(built, AS_OF, ZONE, "--selector", "frequent")
    before = written_by(built)
    assert len(before) == 5
    run(built, AS_OF, ZONE, "--selector", "frequent")
    assert written_by(built) == before
    write_something(built)
    run(built, AS_OF, ZONE, "--selector", "frequent")
    assert written_by(built)["fct_generations"] > before["fct_generations"]
    assert_equals_rebuild(built, AS_OF, ZONE)


def test_rows_that_swap_their_values_have_another_digest(built: AppDatabase) -> None:
    """A sum of hashes that are sums of columns' hashes would be the same, and the change unseen."""
    digest = "select sum(row_digest) from analytics_staging.stg_app__enhancement_tasks"
    swap = """update enhancement_tasks as tasks set created_at = other.created_at
        from (
            select a.id, b.created_at from pairs as a
            inner join pairs as b on a.pair = b.pair and a.id <> b.id
            where a.pair = %s
        ) as other
        where tasks.id = other.id"""
    with built.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            """begin;
               create temporary table pairs on commit drop as
               select id, created_at, (row_number() over (order by id) - 1) / 2 as pair
               from enhancement_tasks where created_at is not null"""
        )
        cursor.execute(
            """select pair from pairs group by pair
               having count(distinct created_at) = 2"""
        )
        pairs = [pair for (pair,) in cursor.fetchall()]
        sums = []
        for pair in (None, *pairs):
            cursor.execute(swap, (pair,))
            cursor.execute(digest)
            sums.append(cursor.fetchone())
        cursor.execute("rollback")
    assert len(pairs) > 5
    assert len(set(sums)) == len(sums)


def test_one_row_that_changed_is_one_that_is_written(built: AppDatabase) -> None:
    run(built, AS_OF, ZONE, "--selector", "frequent")
    before = written_by(built)
    change_one_charge(built)
    run(built, AS_OF, ZONE, "--selector", "frequent")
    after = written_by(built)
    # Of all generations in the window only the one is looked at again.
    assert len(built.query("select * from analytics_intermediate.int_keys_touched")) == 1
    # The row as it was goes, the row as it is comes.
    assert after["int_ledger_synced"] - before["int_ledger_synced"] == 2
    assert after["int_refunds_matched"] == before["int_refunds_matched"]
    assert after["int_bare_charges_matched"] == before["int_bare_charges_matched"]
    assert_equals_rebuild(built, AS_OF, ZONE)


@pytest.mark.parametrize(
    ("variable", "value", "shown"),
    [
        pytest.param(
            "credit_price_usd",
            0.05,
            "select max(credit_revenue_usd) from analytics.monthly_cost",
            marks=pytest.mark.long,
        ),
        (
            "reader_roles",
            ["bi_reader"],
            "select has_table_privilege('bi_reader', 'analytics.daily_usage', 'select')",
        ),
    ],
)
def test_a_variable_is_heeded_where_nothing_is_new(
    built: AppDatabase, variable: str, value: object, shown: str
) -> None:
    built.execute(
        """do $$ begin create role bi_reader nologin; exception when duplicate_object then null;
        end $$"""
    )
    run(built, AS_OF, ZONE, "--selector", "frequent")
    before = built.query(shown)
    built.dbt(
        *("build", "--selector", "frequent"),
        variables={"as_of": AS_OF.isoformat(), "reporting_timezone": ZONE, variable: value},
        parse=True,
    )
    assert built.query(shown) != before
    run(built, AS_OF, ZONE, "--selector", "frequent")
    assert built.query(shown) == before


@pytest.mark.long
def test_a_run_of_a_selection_is_none_of_all(built: AppDatabase) -> None:
    """What it left out is made up for by the next run, though the app wrote nothing since."""
    run(built, AS_OF, ZONE, "--selector", "frequent")
    write_something(built)
    run_without(built, AS_OF, ZONE, "daily_usage")
    run(built, AS_OF, ZONE, "--selector", "frequent")
    assert_equals_rebuild(built, AS_OF, ZONE)


@pytest.mark.long
def test_what_was_undone_after_a_run_that_ended_early_is_new(built: AppDatabase) -> None:
    """The app has again what the last complete run found, but the facts have what came between."""
    run(built, AS_OF, ZONE, "--selector", "frequent")
    built.execute("create table costs_before as select id, cost_usd from credit_transactions")
    write_something(built)
    run_without(built, AS_OF, ZONE, "monthly_user_usage")
    built.execute(
        """update credit_transactions set cost_usd = costs_before.cost_usd from costs_before
           where credit_transactions.id = costs_before.id;
           drop table costs_before"""
    )
    run(built, AS_OF, ZONE, "--selector", "frequent")
    assert_equals_rebuild(built, AS_OF, ZONE)


@pytest.mark.long
def test_a_step_that_was_run_by_itself_hides_nothing(built: AppDatabase) -> None:
    """What `int_rows_seen` was told then is brought to the facts by the next run of all."""
    run(built, AS_OF, ZONE, "--selector", "frequent")
    change_one_charge(built)
    run(built, AS_OF, ZONE, "--select", "int_ledger_synced", "int_rows_seen")
    run(built, AS_OF, ZONE, "--selector", "frequent")
    assert_equals_rebuild(built, AS_OF, ZONE)


@pytest.mark.long
def test_old_tasks_that_never_ended_stay_as_they_were_seen(built: AppDatabase) -> None:
    """They are compared as a whole; where one of them changed, each is looked at again."""
    left_alone = """select seen.* from analytics_intermediate.int_rows_seen as seen
                    inner join analytics_intermediate.int_run_manifest
                        on created_at < same_before"""
    keys = "select * from analytics_intermediate.int_keys_touched"
    for _ in range(2):
        run(built, AS_OF, ZONE, "--selector", "frequent")
    change_one_charge(built)
    run(built, AS_OF, ZONE, "--selector", "frequent")
    open_tasks = built.query(
        """select 1 from analytics.fct_generations
           cross join analytics_intermediate.int_run_manifest
           where status not in ('completed', 'failed', 'cancelled') and record_source = 'task'
               and created_at < same_before"""
    )
    assert len(open_tasks) > 0
    assert (len(built.query(left_alone)), len(built.query(keys))) == (len(open_tasks), 1)
    assert_equals_rebuild(built, AS_OF, ZONE)
    change_one_charge(built)
    changed = built.query(
        """update enhancement_tasks set status = status || '!' where id = (
               select cast(generation_id as uuid) from analytics.fct_generations
               where status not in ('completed', 'failed', 'cancelled') and created_at < %s
                   and record_source = 'task' limit 1)
           returning 1""",
        [AS_OF - timedelta(days=30)],
    )
    assert len(changed) == 1
    run(built, AS_OF, ZONE, "--selector", "frequent")
    assert (len(built.query(left_alone)), len(built.query(keys))) == (0, 2)
    assert_equals_rebuild(built, AS_OF, ZONE)


@pytest.mark.long
def test_a_fact_that_is_no_longer_there_fails_the_run(built: AppDatabase) -> None:
    """A run looks at what changed at the source, but counts its window; the next looks at all."""
    run(built, AS_OF, ZONE, "--selector", "frequent")
    change_one_charge(built)
    deleted = built.query(
        """delete from analytics.fct_generations where generation_id = (
               select max(facts.generation_id) from analytics.fct_generations as facts
               where created_at > %s and status = 'completed' and not exists (
                   select 1 from credit_transactions
                   where cost_usd > 0.77 and api_request_id = facts.generation_id))
           returning 1""",
        [AS_OF - timedelta(days=3)],
    )
    assert len(deleted) == 1
    with pytest.raises(AssertionError, match="assert_window_equals_source"):
        run(built, AS_OF, ZONE, "--selector", "frequent")
    run(built, AS_OF, ZONE, "--selector", "frequent")
    assert_equals_rebuild(built, AS_OF, ZONE)


def test_rows_of_other_columns_are_refused(built: AppDatabase) -> None:
    """A release that changes a table's columns asks for a rebuild, and writes nothing before it."""
    built.execute("alter table analytics.daily_usage add column tips bigint", user=BUILD_ROLE)
    write_something(built)
    with pytest.raises(AssertionError, match=r"does not write \(tips\): .* --full-refresh"):
        run(built, AS_OF, ZONE, "--selector", "frequent")
    built.execute("alter table analytics.daily_usage drop column tips", user=BUILD_ROLE)
    run(built, AS_OF, ZONE, "--selector", "frequent")
    assert_equals_rebuild(built, AS_OF, ZONE)


def test_text_keeps_the_order_of_the_database(built: AppDatabase) -> None:
    """Sorting by bytes ends where it is used: a column of another order would use no index."""
    assert not built.query(
        """select attrelid::regclass, attname from pg_attribute
           inner join pg_class on pg_class.oid = attrelid
           inner join pg_namespace on pg_namespace.oid = relnamespace
           inner join pg_collation on pg_collation.oid = attcollation
           where nspname like 'analytics%' and collname <> 'default'"""
    )


def test_a_mart_that_was_dropped_is_made_anew(built: AppDatabase) -> None:
    """Though the app wrote nothing since, and without a rebuild of history."""
    run(built, AS_OF, ZONE, "--selector", "frequent")
    # With the view of alerts, which reads the first.
    built.execute(
        "drop table analytics.daily_usage, analytics.monthly_cost cascade", user=BUILD_ROLE
    )
    run(built, AS_OF, ZONE, "--selector", "frequent")
    assert built.query("select * from analytics.alerts where kind = 'stale'")
    assert_equals_rebuild(built, AS_OF, ZONE)


def relations_and_rows(database: AppDatabase) -> dict[str, tuple[int, str]]:
    """Object id and rows of each relation of ours, seeds and views included."""
    names = database.query(
        """select cast(oid as regclass)::text as name, oid from pg_class
           where relkind in ('r', 'v') and relnamespace::regnamespace::text like 'analytics%'
               and relname <> 'alerts'  -- it goes by the clock"""
    )
    return {
        row["name"]: (
            row["oid"],
            database.query(
                f"select coalesce(md5(string_agg(t::text, chr(10) order by t::text)), '') as rows"
                f" from {row['name']} as t"
            )[0]["rows"],
        )
        for row in names
    }


@pytest.mark.parametrize(
    "command",
    [
        ("seed",),
        ("run", "--select", "monthly_usage"),
        ("build", "--full-refresh"),
        pytest.param(("run",), marks=pytest.mark.long),
        pytest.param(("build", "--selector", "frequent"), marks=pytest.mark.long),
    ],
    ids=" ".join,
)
def test_an_empty_run_takes_no_row_away(built: AppDatabase, command: tuple[str, ...]) -> None:
    """Into schemas of a project that was parsed without `--empty`: refused in one sentence."""
    before = relations_and_rows(built)
    assert len(before) > 50
    result = built.dbt(*command, "--empty", expect_success=False)
    said = messages(result)
    assert not result.success
    assert "--empty is refused" in said
    assert "nothing was built" in said
    assert relations_and_rows(built) == before


def write_something(database: AppDatabase) -> None:
    database.execute(
        "update credit_transactions set cost_usd = cost_usd + 0.01 where created_at > %s",
        [AS_OF - timedelta(days=2)],
    )


def views(database: AppDatabase) -> dict[str, tuple[int, str]]:
    """Object id and last change of each view of ours."""
    return {
        row["name"]: (row["oid"], row["changed"])
        for row in database.query(
            """select cast(views.oid as regclass)::text as name, views.oid,
                      views.xmin || ' ' || rules.xmin as changed
               from pg_class as views
               inner join pg_rewrite as rules on rules.ev_class = views.oid
               inner join pg_namespace on pg_namespace.oid = relnamespace
               where relkind = 'v' and nspname like 'analytics%'"""
        )
    }


def test_views_that_stand_are_left_alone(built: AppDatabase) -> None:
    """None is touched, so that a reader in the midst of a long query holds nothing up."""
    run(built, AS_OF, ZONE, "--selector", "frequent")
    before = views(built)
    assert "analytics.monthly_user_usage" in before
    with built.connect() as reader, reader.cursor() as cursor:
        reader.autocommit = False
        cursor.execute("select count(*) from analytics.monthly_user_usage")
        cursor.execute("select count(*) from analytics_staging.stg_app__user_credits")
        built.execute(f"alter role {BUILD_ROLE} set lock_timeout = '1s'")
        run(built, AS_OF, ZONE, "--selector", "frequent")
    built.execute(f"alter role {BUILD_ROLE} reset lock_timeout")
    assert views(built) == before


def test_a_changed_view_keeps_what_selects_from_it(built: AppDatabase) -> None:
    before = views(built)
    write_something(built)
    built.execute(
        """do $$ begin execute
            'create or replace view analytics_intermediate.int_balances_cleaned as select * from ('
            || rtrim(pg_get_viewdef('analytics_intermediate.int_balances_cleaned'::regclass), ';')
            || ') as balances where false';
        end $$"""
    )
    run(built, AS_OF, ZONE, "--selector", "frequent")
    after = views(built)
    assert after["analytics.monthly_user_usage"] == before["analytics.monthly_user_usage"]
    assert_equals_rebuild(built, AS_OF, ZONE)


def test_a_view_of_other_columns_is_made_anew(built: AppDatabase) -> None:
    write_something(built)
    built.execute(
        "drop view analytics_intermediate.int_balances_cleaned cascade;"
        "create view analytics_intermediate.int_balances_cleaned as select 1 as nothing",
        user=BUILD_ROLE,
    )
    run(built, AS_OF, ZONE, "--selector", "frequent")
    assert_equals_rebuild(built, AS_OF, ZONE)
