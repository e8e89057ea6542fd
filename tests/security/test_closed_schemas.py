"""After a build the app's HTTP roles can use and read nothing of ours: the catalogue is asked."""

from typing import Any

import pytest

from tests.app_database import BUILD_ROLE, AppDatabase

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


@pytest.mark.parametrize("role", [*CLOSED, "public"])
def test_a_closed_role_is_no_reader(database: AppDatabase, role: str) -> None:
    """`reader_roles` cannot name a role that the marts are closed to."""
    result = database.dbt("run", variables={"reader_roles": [role]}, expect_success=False)
    assert f"reader_roles names '{role}'" in str(result.exception or result.result)
    assert can_read(database, "public" if role == "public" else role) == []
