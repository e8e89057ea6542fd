"""What others made on our tables survives every run, or stops it before it touches anything."""

import pytest

from tests.app_database import BUILD_ROLE, AppDatabase, messages
from tests.conftest import make_database
from tests.incremental.conftest import AS_OF, ZONE, change_one_charge
from tests.incremental.rebuild import assert_equals_rebuild, run

EVERYTHING = ("--exclude", "test_type:unit", "test_type:data")
THINGS = """
create view bi.report as select month_start, generations from analytics.monthly_usage;
create view bi.above as select * from bi.report;
create view bi.users as select * from analytics.monthly_user_usage;
create materialized view bi.overview as select * from analytics.dashboard_overview;
create function bi.findings() returns bigint language sql
    begin atomic select count(*) from analytics.credit_audit_findings; end;
create function bi.latest(analytics.daily_usage) returns date
    language sql as 'select $1.usage_date';
create table bi.kept (fact analytics.fct_generations, days analytics.daily_usage[]);
create view bi.staged as select user_id from analytics_staging.stg_app__user_credits;
create index by_provider on analytics.fct_generations (provider, created_at desc);
create index by_drift on analytics.credit_balance_reconciliation (drift);
create statistics bi.both on provider, status from analytics.fct_generations;
create policy own_rows on analytics.rejected_rows using (true);
create function bi.touch() returns trigger language plpgsql as 'begin return null; end';
create trigger touched after insert on analytics.monthly_cost
    for each statement execute function bi.touch();
create publication others for table analytics.monthly_provider_breakdown;
create rule noted as on delete to analytics.monthly_success_rate do also notify deleted;
alter table analytics.monthly_success_rate add constraint is_rate check (success_rate <= 1);
create table analytics_intermediate.part () inherits (analytics_intermediate.int_usage_by_month);
"""
# Everything that a superuser sees in the schema, and what hangs on tables of ours.
PRESENT = r"""
select kind || ' ' || name as thing from (
    select 'relation' as kind, oid::regclass::text as name from pg_class
    where relnamespace = 'bi'::regnamespace or relname in ('by_drift', 'part')
    union all
    select 'index', pg_get_indexdef(indexrelid) from pg_index
    where indrelid in (select oid from pg_class where relname = 'fct_generations')
        and pg_get_indexdef(indexrelid) like '%provider, created_at%'
    union all
    select 'function', oid::regprocedure::text from pg_proc where pronamespace = 'bi'::regnamespace
    union all
    select 'statistics', stxname from pg_statistic_ext
    union all
    select 'policy', polname || ' on ' || polrelid::regclass from pg_policy
    union all
    select 'trigger', tgname || ' on ' || tgrelid::regclass from pg_trigger where not tgisinternal
    union all
    select 'published', tablename from pg_publication_tables
    union all
    select 'rule', rulename || ' on ' || tablename from pg_rules where schemaname = 'analytics'
    union all
    select 'constraint', conname from pg_constraint where conname = 'is_rate'
) as things order by 1
"""


@pytest.fixture
def with_things(built: AppDatabase, reader: str) -> AppDatabase:
    """The app's database with something of each kind that may stand on a table of ours."""
    built.execute(THINGS)
    return built


def test_what_others_made_survives_every_run(with_things: AppDatabase) -> None:
    present = [row["thing"] for row in with_things.query(PRESENT)]
    assert len(present) >= 18
    for arguments in (("--selector", "frequent"), EVERYTHING, ("--full-refresh", *EVERYTHING)):
        change_one_charge(with_things)
        run(with_things, AS_OF, ZONE, *arguments)
        assert [row["thing"] for row in with_things.query(PRESENT)] == present, arguments
    for view, table in (("report", "monthly_usage"), ("users", "monthly_user_usage")):
        (count,) = with_things.query(
            f"""select (select count(*) from bi.{view}) as seen,
                       (select count(*) from analytics.{table}) as there"""
        )
        assert count["seen"] == count["there"] > 0
    assert_equals_rebuild(with_things, AS_OF, ZONE)

    # A column that a release adds is added where the table stands; one that it takes away is not.
    with_things.execute(
        "drop view analytics.month_to_date, analytics.closed_figures_now,"
        " analytics.headline_figures; "
        "alter table analytics.monthly_usage drop column new_users; "
        "alter table analytics.credit_audit_findings add column guess text",
        user=BUILD_ROLE,
    )
    contents = "select * from analytics.monthly_usage"
    before = with_things.query(contents)
    change_one_charge(with_things)
    result = with_things.dbt("build", "--full-refresh", *EVERYTHING, expect_success=False)
    said = str(result.exception or messages(result))
    assert "credit_audit_findings" in said
    assert "loses guess text" in said
    assert "bi.findings()" in said
    assert with_things.query(contents) == before
    with_things.execute(
        "alter table analytics.credit_audit_findings drop column guess", user=BUILD_ROLE
    )
    run(with_things, AS_OF, ZONE, "--full-refresh", *EVERYTHING)
    assert with_things.query("select sum(new_users) as users from analytics.monthly_usage")
    assert [row["thing"] for row in with_things.query(PRESENT)] == present


def test_what_refuses_that_rows_are_replaced_stops_the_run(database: AppDatabase) -> None:
    """A foreign key, a publication of some columns, rules, triggers; and what has a mart's name."""
    database.execute("insert into enhancement_tasks (enhancement_type) values ('image_gen')")
    database.dbt("build", "--resource-type", "model", "seed")
    database.execute(
        """create schema bi;
           create table bi.notes (
               generation_id text references analytics.fct_generations (generation_id)
               on delete cascade);
           create publication in_part for table analytics.daily_usage (usage_date);
           create rule quiet as on insert to analytics.monthly_cost do instead nothing;
           create rule noted as on delete to analytics.monthly_success_rate
               do also insert into bi.notes default values;
           create function bi.no() returns trigger language plpgsql as 'begin return null; end';
           create trigger no before delete on analytics.daily_usage
               for each row execute function bi.no();
           create function bi.closed() returns trigger language plpgsql
               as $$ begin raise exception 'the books are closed'; end $$;
           create trigger closed after insert on analytics.dashboard_overview
               execute function bi.closed();
           alter table analytics.monthly_usage add column note text not null default 'mine';
           alter table analytics.monthly_provider_breakdown rename column provider to vendor;
           alter table analytics.fct_generations drop column recorded_cost_usd cascade;
           create table bi.older () inherits (analytics.daily_usage);
           insert into bi.older default values"""
    )

    def said() -> str:
        result = database.dbt("build", "--selector", "frequent", expect_success=False)
        said = str(result.exception or messages(result))
        assert "nothing was built" in said
        return said

    before = said()
    assert "notes_generation_id_fkey of bi.notes" in before
    assert "fct_generations" in before
    assert "publication in_part lists columns of analytics.daily_usage" in before
    assert "rule quiet of analytics.monthly_cost" in before
    assert 'rule noted of "analytics"."monthly_success_rate" refuses' in before
    assert "permission denied for schema bi" in before or "permission denied for table" in before
    assert 'trigger no (function bi.no()) of "analytics"."daily_usage" refuses' in before
    assert 'refuses what a run writes ("the books are closed")' in before
    assert 'monthly_usage" has columns that paygen does not write (note)' in before
    assert "(vendor) and lacks its own (provider)" in before
    assert 'fct_generations" lacks columns (recorded_cost_usd)' in before
    assert "alter table bi.older no inherit analytics.daily_usage" in before
    database.execute(
        """drop view analytics.run_history;
           create index run_history on analytics.daily_usage (usage_date)"""
    )
    assert "index analytics.run_history has the name" in said()


REFUSES_DROPS = """
create function public.guard() returns event_trigger language plpgsql as $$
begin
    if {condition} then raise exception 'drops need a ticket'; end if;
end $$;
create event trigger guard on {event} execute function public.guard();
"""
LOGS = """
create table public.ddl_log (tag text);
create function public.guard() returns event_trigger language plpgsql {security} as $$
begin
    insert into public.ddl_log select command_tag from pg_event_trigger_ddl_commands();
end $$;
create event trigger guard on ddl_command_end execute function public.guard();
"""


@pytest.mark.long
@pytest.mark.parametrize(
    ("trigger", "refusal"),
    [
        (REFUSES_DROPS.format(event="sql_drop", condition="true"), "drops need a ticket"),
        (
            REFUSES_DROPS.format(
                event="sql_drop",
                condition="exists (select from pg_event_trigger_dropped_objects()"
                " where schema_name = 'analytics')",
            ),
            "drops need a ticket",
        ),
        (
            REFUSES_DROPS.format(
                event="ddl_command_start when tag in ('DROP TABLE')", condition="true"
            ),
            "drops need a ticket",
        ),
        (LOGS.format(security=""), "permission denied for table ddl_log"),
        (LOGS.format(security="security definer"), None),
    ],
)
def test_an_event_trigger_that_refuses_stops_the_run(
    any_database: AppDatabase, trigger: str, refusal: str | None
) -> None:
    """Before anything is built, by its name; one that lets runs work is none of their business."""
    any_database.execute(trigger)
    result = any_database.dbt(
        "build", "--resource-type", "model", "seed", expect_success=refusal is None
    )
    if refusal:
        said = str(result.exception or messages(result))
        assert "event trigger guard (function public.guard()) refuses" in said
        assert f'("{refusal}"), nothing was built' in said
        assert (
            any_database.query("select 1 from pg_class where relname ~ 'paygen|generations'") == []
        )
    else:
        assert any_database.query("select 1 from ddl_log where tag = 'CREATE TABLE AS'")


@pytest.mark.long
def test_what_was_done_to_a_mart_is_undone(any_database: AppDatabase) -> None:
    """Columns by a full refresh: one that was dropped is there again, one that was added is gone.

    Rights that were taken from the build role by each run.
    """
    build = ("build", "--resource-type", "model", "seed")
    any_database.dbt(*build)
    any_database.execute(
        """alter table analytics.fct_generations add column note text;
           alter table analytics.fct_generations alter column note set not null;
           alter table analytics.daily_usage rename column generations to calls;
           alter table analytics.monthly_cost alter column month_start set not null;
           revoke all on analytics.monthly_success_rate from paygen"""
    )
    any_database.dbt(*build, "--full-refresh")
    any_database.dbt(*build)
    columns = any_database.query(
        """select column_name from information_schema.columns
           where table_schema = 'analytics' and column_name in ('note', 'calls')"""
    )
    assert columns == []
    # What is attached to a table of somebody's stays attached.
    any_database.execute(
        """create table public.all_costs (like analytics.monthly_cost);
           alter table analytics.monthly_cost inherit public.all_costs;
           revoke all on analytics.fct_generations, analytics.monthly_usage from paygen"""
    )
    any_database.dbt("build", "--selector", "frequent")
    any_database.dbt(*build, "--full-refresh")
    assert any_database.query("select 1 from public.all_costs")


@pytest.mark.long
def test_another_build_role_is_told_whose_the_tables_are(any_database: AppDatabase) -> None:
    """The role that built was renamed, and a new one has its name and none of its rights."""
    any_database.dbt("build", "--resource-type", "model", "seed")
    any_database.execute(
        """drop role if exists relations_second; create role relations_second login bypassrls;
           grant usage on schema public to relations_second;
           grant select on all tables in schema public to relations_second"""
    )
    for arguments in (("--selector", "frequent"), ("--full-refresh",)):
        result = any_database.dbt(
            "build", *arguments, user="relations_second", expect_success=False
        )
        said = str(result.exception or messages(result))
        assert f"belong to role {BUILD_ROLE}, and this run is role relations_second" in said
        assert "nothing was built" in said
    any_database.execute("drop owned by relations_second")


def test_a_seed_is_written_where_it_stands(database: AppDatabase) -> None:
    """A view on one survives, and whoever reads the seed meanwhile finds it."""
    database.dbt("seed")
    database.execute(
        "create schema bi; create view bi.prices as select * from analytics_seeds.provider_prices"
    )
    with database.connect() as reader, reader.cursor() as cursor:
        reader.autocommit = False
        cursor.execute("select count(*) from bi.prices")
        (before,) = cursor.fetchone()
        for arguments in ((), ("--full-refresh",)):
            database.dbt("seed", "--select", "provider_prices", *arguments)
        cursor.execute("select count(*) from bi.prices")
        assert cursor.fetchone() == (before,)
    assert len(database.query("select * from bi.prices")) == before


@pytest.mark.parametrize(
    "publication",
    ["for all tables", pytest.param("for tables in schema analytics", marks=pytest.mark.long)],
)
def test_a_publication_of_our_tables(any_server, publication: str) -> None:
    """Seeds and Python models included: tables without a key may be deleted from."""
    database = make_database(any_server)
    row = {"user_id": "00000000-0000-0000-0000-0000000000aa", "provider": "wan"}
    database.insert(
        "enhancement_tasks", {**row, "status": "failed", "enhancement_type": "video_gen"}
    )
    database.dbt("build", "--resource-type", "model", "seed", python_models=True)
    # As tables of an earlier release are.
    database.execute(
        "alter table analytics.daily_usage replica identity default;"
        " alter table analytics.monthly_cost replica identity nothing"
    )
    database.execute(f"create publication everything {publication}")
    for arguments in ((), ("--full-refresh",), ()):
        database.execute("update enhancement_tasks set cost_usd = coalesce(cost_usd, 0) + 1")
        database.dbt("build", "--resource-type", "model", "seed", *arguments, python_models=True)
    with database.connect(BUILD_ROLE) as connection, connection.cursor() as cursor:
        for table in database.query(
            """select oid::regclass::text as name from pg_class
               where relnamespace = 'analytics'::regnamespace and relkind = 'r'"""
        ):
            cursor.execute(f"delete from {table['name']}")


@pytest.mark.long
def test_row_security_that_is_switched_on_by_itself(database: AppDatabase) -> None:
    """Readers see the rows, Python models' too; a policy made by hand stays in force."""
    reader = "relations_reader"
    database.execute(
        f"""do $$ begin create role {reader} login;
            exception when duplicate_object then null; end $$;
            create function public.ensure_rls() returns event_trigger language plpgsql
            security definer as $$
            declare made record;
            begin
                for made in select * from pg_event_trigger_ddl_commands()
                    where object_type = 'table' and schema_name not like 'pg\\_%' loop
                    execute format('alter table %s enable row level security, '
                        'force row level security', made.object_identity);
                end loop;
            end $$;
            create event trigger ensure_rls on ddl_command_end
                when tag in ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO')
                execute function public.ensure_rls()""",
    )
    variables = {"reader_roles": [reader]}
    for arguments in ((), ("--full-refresh",)):
        database.dbt(
            *("build", "--resource-type", "model", "seed", *arguments),
            variables=variables,
            parse=True,
            python_models=True,
        )
        assert len(database.query("select * from analytics.dashboard_overview", user=reader)) == 1
        assert not database.query(
            """select oid::regclass from pg_class
               where relnamespace::regnamespace::text like 'analytics%' and relrowsecurity"""
        )
    database.execute(
        """alter table analytics.monthly_usage enable row level security;
           alter table analytics.dashboard_overview enable row level security;
           create policy nobody on analytics.dashboard_overview using (false)"""
    )
    database.dbt(
        "build",
        "--resource-type",
        "model",
        "--selector",
        "frequent",
        variables=variables,
        parse=True,
    )
    assert database.query("select * from analytics.dashboard_overview", user=reader) == []
    assert database.query("select * from analytics.monthly_usage", user=reader) != []


def test_a_failing_build_leaves_nothing_half_made(database: AppDatabase) -> None:
    """On a new database a mart is there with rows, grants and comments, or not at all."""
    database.execute(
        """create function public.refuse() returns event_trigger language plpgsql as $$
           begin
               if exists (select from pg_event_trigger_ddl_commands()
                          where object_identity like 'analytics.fct_generations%') then
                   raise exception 'no facts today';
               end if;
           end $$;
           create event trigger refuse on ddl_command_end when tag in ('COMMENT')
               execute function public.refuse()"""
    )
    result = database.dbt("build", "--resource-type", "model", "seed", expect_success=False)
    assert "no facts today" in messages(result)
    names = [
        row["relname"]
        for row in database.query(
            "select relname from pg_class where relnamespace = 'analytics'::regnamespace"
        )
    ]
    assert not [name for name in names if "fct_generations" in name or "__" in name]
    database.execute("drop event trigger refuse")
    database.dbt("build", "--resource-type", "model", "seed")
