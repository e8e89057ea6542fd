"""The operator who runs the clean-up, and what he may not lose."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import yaml

from tests.app_database import PROJECT, AppDatabase, invoke, parsed_project

OPERATOR = "app_owner"
SYNC = "function public.sync_analytics_data()"

SETUP = f"""
do $$ begin
    if not exists (select from pg_roles where rolname = '{OPERATOR}') then
        create role {OPERATOR} login bypassrls;
    end if;
end $$;
grant usage, create on schema public to {OPERATOR};
grant usage, create on schema auth to {OPERATOR};
do $$ declare item record; begin
    for item in select oid::regclass as name from pg_class
        where relnamespace = 'public'::regnamespace and relkind = 'r'
    loop execute format('alter table %s owner to {OPERATOR}', item.name); end loop;
    for item in select oid::regprocedure as name from pg_proc
        where pronamespace = 'public'::regnamespace
    loop execute format('alter function %s owner to {OPERATOR}', item.name); end loop;
end $$;
grant references on auth.users to {OPERATOR};
insert into auth.users values ('00000000-0000-0000-0000-000000000001');
insert into user_credits values ('00000000-0000-0000-0000-000000000001', 10, 0, 15, 'free');
insert into credit_pools (provider, cost_per_credit, available_balance)
values ('fal_ai', 0.05, 500), ('nanobanana', 0.04, 800), ('seedream', 0.03, 0);
insert into credit_purchase_requests
    (provider, amount_requested, estimated_cost, status, approved_by)
values ('fal_ai', 500, 25, 'approved', '00000000-0000-0000-0000-000000000001'),
    ('seedream', 100, 3, 'pending', null);
insert into api_providers (name, base_url, api_key_encrypted, cost_per_request)
values ('fal_ai', 'https://example.org', 'not-to-be-printed', 0.05);
insert into system_alerts (type, level, message)
select type, 'info', 'an alert' from unnest(array[
    'low_platform_credits', 'low_platform_credits', 'credit_refill_success', 'credit_refill_failed',
    'manual_credit_refill', 'api_error'
]) as type;
create index pools_by_status on credit_pools (status);
comment on table credit_pools is 'prepaid credits';
create policy pool_readers on credit_pools for select to authenticated using (status = 'active');
create function touch_pool() returns trigger language plpgsql
as 'begin new.updated_at := now(); return new; end';
create trigger touch before update on credit_pools
for each row execute function touch_pool();
create publication app_changes for table credit_pools (id, provider);
"""

# Everything the catalogue says of schema public; `owner` is the table or function it belongs to.
CATALOGUE = """
    select 'table' as kind, relname as owner, c.oid::text as id, concat_ws('|', relkind, relowner,
        relacl, relrowsecurity, relreplident, obj_description(c.oid)) as detail
    from pg_class as c where relnamespace = 'public'::regnamespace and relkind <> 'S'
    union all
    select 'column', relname, attrelid::text || '.' || attnum, concat_ws('|', attname, atttypid,
        atttypmod, attnotnull, attacl, pg_get_expr(adbin, adrelid))
    from pg_attribute
    left join pg_attrdef on adrelid = attrelid and adnum = attnum
    inner join pg_class as c on c.oid = attrelid
    where relnamespace = 'public'::regnamespace and attnum > 0
    union all
    select 'constraint', coalesce(relname, ''), o.oid::text,
        concat_ws('|', conname, pg_get_constraintdef(o.oid))
    from pg_constraint as o left join pg_class as c on c.oid = conrelid
    where connamespace = 'public'::regnamespace
    union all
    select 'index', relname, indexrelid::text, pg_get_indexdef(indexrelid)
    from pg_index inner join pg_class as c on c.oid = indrelid
    where relnamespace = 'public'::regnamespace
    union all
    select 'trigger', relname, t.oid::text, pg_get_triggerdef(t.oid) || tgenabled::text
    from pg_trigger as t inner join pg_class as c on c.oid = tgrelid
    where relnamespace = 'public'::regnamespace
    union all
    select 'policy', tablename, schemaname || '.' || policyname,
        concat_ws('|', permissive, roles, cmd, qual)
    from pg_policies
    union all
    select 'function', proname, p.oid::text,
        concat_ws('|', case when prokind <> 'a' then pg_get_functiondef(p.oid) end, proowner,
            proacl)
    from pg_proc as p where pronamespace = 'public'::regnamespace
    union all
    select 'publication', tablename, pubname, concat_ws('|', schemaname, attnames, rowfilter)
    from pg_publication_tables
    order by 1, 2, 3
"""


@dataclass
class Answer:
    """What one operation said: success, the report where there was one, and the whole text."""

    success: bool
    text: str
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def codes(self) -> list[str]:
        """Codes of everything that refuses, in the report or, where there is none, in the error."""
        if self.report:
            return sorted({f["code"] for f in self.report["findings"] if f["level"] == "refuse"})
        return sorted(set(re.findall(r"CLEANUP-[A-Z-]*[A-Z]", self.text)))

    def find(self, code: str) -> list[dict[str, Any]]:
        """The findings of one code."""
        return [f for f in self.report["findings"] if f["code"] == code]


def settings(**changes: Any) -> dict[str, Any]:
    """The variable `cleanup` with short waits and the given changes."""
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())
    return {**project["vars"]["cleanup"], "lock_timeout_ms": 150, "lock_attempts": 2, **changes}


class Operator:
    """Runs the operation on one database as the tables' owner."""

    def __init__(self, database: AppDatabase, user: str = OPERATOR):
        self.database = database
        self.user = user
        self.config = settings()
        self.flags: list[str] = []

    def run(self, action: str, user: str | None = None, **arguments: Any) -> Answer:
        """One operation with JSON output; never raises for a refusal."""
        os.environ.update(self.database.environment(user or self.user))
        printed: list[str] = []

        def listen(event: Any) -> None:
            if event.info.name in ("PrintEvent", "JinjaLogInfo"):
                printed.append(event.data.msg)

        arguments = {"action": action, "output": "json", **arguments}
        result = invoke(
            [
                "run-operation",
                "cleanup_credit_pools",
                "--args",
                json.dumps(arguments),
                "--vars",
                json.dumps({"cleanup": self.config}),
                *self.flags,
            ],
            manifest=parsed_project(),
            callbacks=[listen],
        )
        problem = str(result.exception or "")
        for node in getattr(result.result, "results", None) or []:
            problem += node.message or ""
        reports = [json.loads(line) for line in printed if line.startswith("{")]
        return Answer(result.success, "\n".join([*printed, problem]), reports[0] if reports else {})

    def plan(self, **arguments: Any) -> Answer:
        """The plan; it fails when something refuses, and reports all the same."""
        return self.run("plan", **arguments)

    def apply(self, accept: tuple[str, ...] = (SYNC,), **arguments: Any) -> Answer:
        """Plan, then apply that plan."""
        arguments = {"accept": list(accept), **arguments}
        confirm = self.plan(**arguments).report["plan_hash"]
        return self.run("apply", **{"confirm": confirm, **arguments})

    def try_apply(self, accept: tuple[str, ...] = (SYNC,), **arguments: Any) -> Answer:
        """Apply without a plan: what refuses is said before the missing hash is."""
        return self.run("apply", accept=list(accept), **arguments)

    def contents(self) -> dict[str, list[tuple]]:
        """Every row of every table, in the app's schema and in the archive together."""
        rows: dict[str, list[tuple]] = {}
        with self.database.connect() as connection, connection.cursor() as cursor:
            cursor.execute(
                "select nspname, relname from pg_class"
                " inner join pg_namespace n on n.oid = relnamespace"
                " where nspname in ('public', %s) and relkind in ('r', 'p')"
                " and relname not in ('cleanup_manifest', 'cleanup_backups')",
                (self.config["archive_schema"],),
            )
            for schema, table in cursor.fetchall():
                cursor.execute(f'select x::text from only "{schema}"."{table}" as x')
                rows.setdefault(table, []).extend(cursor.fetchall())
        return {table: sorted(lines) for table, lines in rows.items()}

    def catalogue(self) -> list[dict[str, Any]]:
        """Everything the catalogue says of schema public, oids included."""
        return self.database.query(CATALOGUE)

    def kept(self) -> list[dict[str, Any]]:
        """What of the catalogue is about the tables and functions that must stay."""
        names = {
            name
            for key in ("essential_tables", "useful_tables", "kept_functions")
            for name in self.config[key]
        }
        return [row for row in self.catalogue() if row["owner"] in names]

    @contextmanager
    def nothing_lost(self) -> Iterator[None]:
        """Whatever happens inside: no row is lost, and what must stay is as it was, by oid."""
        contents, kept = self.contents(), self.kept()
        yield
        assert self.contents() == contents
        assert self.kept() == kept

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """Whatever happens inside: nothing is lost, and all of schema public is as it was."""
        catalogue = self.catalogue()
        with self.nothing_lost():
            yield
        assert self.catalogue() == catalogue

    def manifest(self) -> list[str]:
        """The states of the manifest's entries; empty where no archive is."""
        if not self.schema_of("cleanup_manifest"):
            return []
        rows = self.database.query("select state from cleanup_archive.cleanup_manifest")
        return sorted(row["state"] for row in rows)

    def schema_of(self, relation: str) -> list[str]:
        """The schemas that have a relation or function of this name."""
        found = self.database.query(
            "select nspname from pg_namespace n inner join pg_class c on relnamespace = n.oid"
            " where relname = %s union all select nspname from pg_namespace n inner join pg_proc"
            " on pronamespace = n.oid where proname = %s order by 1",
            (relation, relation),
        )
        return [row["nspname"] for row in found]
