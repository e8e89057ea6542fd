"""After a build the app's HTTP roles can use and read nothing of ours: the catalogue is asked."""

from typing import Any

import pytest

from tests.app_database import BUILD_ROLE, AppDatabase, messages

CLOSED = ["anon", "authenticated", "service_role"]
READER = "paygen_test_reader"

# Every privilege on anything of ours, default privileges included; grantee 0 is PUBLIC.
PRIVILEGES = """
with ours as (
    select oid, nspname, nspacl, nspowner from pg_namespace where nspname like 'analytics%%'
),
granted as (
    select 'schema' as kind, nspname as name, acl.grantee
    from ours cross join lateral aclexplode(coalesce(nspacl, acldefault('n', nspowner))) as acl
    union all
    select 'relation', oid::regclass::text, acl.grantee
    from pg_class cross join lateral aclexplode(
        coalesce(
            relacl, acldefault((case relkind when 'S' then 's' else 'r' end)::"char", relowner)
        )
    ) as acl
    where relnamespace in (select oid from ours) and relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    union all
    select 'column', attrelid::regclass || '.' || attname, acl.grantee
    from pg_attribute inner join pg_class on pg_class.oid = attrelid
    cross join lateral aclexplode(attacl) as acl
    where relnamespace in (select oid from ours)
    union all
    select 'routine', pg_proc.oid::regprocedure::text, acl.grantee
    from pg_proc cross join lateral aclexplode(coalesce(proacl, acldefault('f', proowner))) as acl
    where pronamespace in (select oid from ours)
    union all
    select 'default privilege', nspname || ' ' || defaclobjtype::text, acl.grantee
    from pg_default_acl inner join ours on ours.oid = defaclnamespace
    cross join lateral aclexplode(defaclacl) as acl
)
select kind, name, grantee::regrole::text as grantee from granted
where grantee = 0 or grantee::regrole::text = any(%s)
"""


def open_to(database: AppDatabase, *roles: str) -> list[tuple[str, str, str]]:
    """What PUBLIC or one of the roles holds on a schema of ours: kind, name and role."""
    return [tuple(row.values()) for row in database.query(PRIVILEGES, (list(roles),))]


def can_read(database: AppDatabase, role: str) -> list[str]:
    """The relations of ours that a role may select from, with the schema open to it."""
    rows = database.query(
        """
        select pg_class.oid::regclass::text as name
        from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
        where nspname like 'analytics%%' and relkind in ('r', 'p', 'v', 'm', 'f')
            and has_schema_privilege(%s, nspname, 'usage')
            and has_table_privilege(%s, pg_class.oid, 'select')
        order by 1
        """,
        (role, role),
    )
    return [row["name"] for row in rows]


def build(database: AppDatabase, *flags: str, **options: Any) -> None:
    """Build seeds and models, without the data tests."""
    database.dbt("build", *flags, "--resource-type", "model", "seed", **options)


def open_everything(database: AppDatabase) -> None:
    """Grant as Supabase and careless hands do: defaults of the build role, and our schemas."""
    grantees = ", ".join(CLOSED)
    for kind in ("tables", "sequences", "routines", "types", "schemas"):
        database.execute(
            f"alter default privileges for role {BUILD_ROLE} grant all on {kind} to {grantees}"
        )
    for schema in ("analytics", "analytics_staging", "analytics_intermediate", "analytics_seeds"):
        database.execute(f"grant all on schema {schema} to {grantees}, public")
        for kind in ("tables", "sequences", "routines", "types"):
            database.execute(
                f"alter default privileges for role {BUILD_ROLE} in schema {schema}"
                f" grant all on {kind} to {grantees}, public"
            )


def test_hostile_default_privileges_open_nothing(any_database: AppDatabase) -> None:
    """Neither the first build, nor a later one, nor a full refresh leaves anything open."""
    open_everything(any_database)
    build(any_database)
    assert open_to(any_database, *CLOSED) == []
    any_database.execute(
        "grant select on all tables in schema analytics to anon;"
        "grant select (user_id) on analytics.fct_generations to authenticated;"
        "grant usage on schema analytics to public"
    )
    build(any_database)
    assert open_to(any_database, *CLOSED) == []
    build(any_database, "--full-refresh")
    assert open_to(any_database, *CLOSED) == []
    assert [can_read(any_database, role) for role in CLOSED] == [[], [], []]


def test_the_app_keeps_its_own_privileges(database: AppDatabase) -> None:
    """Nothing outside the analytics schemas changes: definitions, privileges, rows."""
    database.execute("grant select on public.user_credits to anon")
    outside = """
        select nspname, relname, relkind, relacl::text, relowner, reltuples
        from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
        where nspname not like 'analytics%%' and nspname not like 'pg_%%'
        order by 1, 2
    """
    schemas = "select nspname, nspacl::text from pg_namespace where nspname !~ '^(analytics|pg_)'"
    before = database.query(outside), database.query(schemas)
    build(database)
    assert (database.query(outside), database.query(schemas)) == before


@pytest.fixture
def reader(database: AppDatabase) -> str:
    """A BI tool's role, without any privilege of its own."""
    database.execute(
        f"do $$ begin create role {READER} login; exception when duplicate_object then null; end $$"
    )
    return READER


def test_readers_read_the_marts_and_nothing_else(database: AppDatabase, reader: str) -> None:
    """`reader_roles` may select from every mart, after a full refresh too."""
    variables = {"reader_roles": [reader]}
    for flags in ([], ["--full-refresh"]):
        build(database, *flags, variables=variables, parse=True)
        marts = database.query(
            "select oid::regclass::text as name from pg_class"
            " where relnamespace = 'analytics'::regnamespace and relkind in ('r', 'v') order by 1"
        )
        assert can_read(database, reader) == [row["name"] for row in marts]
        assert database.query("select * from analytics.dashboard_overview", user=reader)
        assert open_to(database, *CLOSED) == []


ROLES = ["Metabase-RO", "MetabaseRO", "ann.bi@corp", "two words", 'quo"ted', "it's", "select"]


def test_readers_of_any_name_are_set_in_the_project(database: AppDatabase) -> None:
    """In dbt_project.yml, whatever characters a name has; taken off the list, they are out."""
    for role in [*ROLES, READER]:
        quoted = role.replace('"', '""')
        database.execute(
            f"""do $$ begin create role "{quoted}" login;
            exception when duplicate_object then null; end $$"""
        )
    build(database, settings={"reader_roles": ROLES})
    counted = "select count(*) as months from analytics.monthly_usage"
    assert [database.query(counted, user=role) for role in ROLES] == [[{"months": 1}]] * len(ROLES)
    # A run of one model says for all marts who reads them, and at once.
    database.dbt("run", "--select", "monthly_cost", settings={"reader_roles": [READER]})
    assert database.query(counted, user=READER) == [{"months": 1}]
    assert [can_read(database, role) for role in ROLES] == [[]] * len(ROLES)
    assert open_to(database, *CLOSED) == []


def test_a_role_that_a_closed_one_is_a_member_of_is_no_reader(
    database: AppDatabase, reader: str
) -> None:
    """The closed role would read the marts through it."""
    database.execute(f"grant {reader} to anon")
    try:
        result = database.dbt("run", settings={"reader_roles": [reader]}, expect_success=False)
    finally:
        database.execute(f"revoke {reader} from anon")
    assert f"reader_roles names '{reader}', of which 'anon'" in messages(result)
    assert can_read(database, "anon") == []


def test_a_second_build_role_takes_nothing_from_the_first(database: AppDatabase) -> None:
    """It is refused, both roles are named, and the first goes on."""
    build(database)
    database.execute(
        f"""do $$ begin create role second_builder login bypassrls; exception
        when duplicate_object then null; end $$;
        grant {BUILD_ROLE} to second_builder;
        grant select on all tables in schema public to second_builder"""
    )
    before = database.query("select oid, relowner from pg_class order by 1")
    result = database.dbt("build", user="second_builder", expect_success=False)
    assert "belong to role paygen, and this run is role second_builder" in messages(result)
    assert database.query("select oid, relowner from pg_class order by 1") == before
    build(database)


@pytest.mark.parametrize("role", [*CLOSED, "public"])
def test_a_closed_role_is_no_reader(database: AppDatabase, role: str) -> None:
    """`reader_roles` cannot name a role that the marts are closed to."""
    result = database.dbt("run", variables={"reader_roles": [role]}, expect_success=False)
    assert f"reader_roles names '{role}'" in str(result.exception or result.result)
    assert can_read(database, "public" if role == "public" else role) == []
