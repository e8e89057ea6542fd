"""The tables of a database as its catalogue describes them."""

import re
from dataclasses import dataclass, field

from psycopg2.extensions import cursor as Cursor

# Schemas of the server, of Supabase and of extensions; and those that this project builds.
NOT_THE_APPS = (
    r"^(pg_.*|information_schema|auth|storage|realtime|_realtime|vault|graphql|graphql_public|"
    r"extensions|net|cron|supabase_.*|pgbouncer|pgsodium.*|pgmq|_analytics|drizzle|"
    r"cleanup_archive|.*analytics(_staging|_intermediate|_seeds|_inspect.*)?|_timescaledb_.*)$"
)
INTEGERS = {"smallint", "integer", "bigint"}
NUMBERS = INTEGERS | {"numeric", "real", "double precision", "money"}
TIMES = {"timestamp with time zone", "timestamp without time zone", "date"}
TEXTS = {"text", "character varying", "character", "citext", "name", "enum"}
JSON = {"json", "jsonb"}
KINDS = {
    "r": "table",
    "p": "partitioned table",
    "v": "view",
    "m": "materialized view",
    "f": "foreign table",
}


@dataclass(frozen=True)
class Column:
    """A column; its type without length, an enum's as `enum`, a domain's as what it is over."""

    name: str
    type: str
    labels: tuple[str, ...] = ()
    comment: str = ""
    default: str = ""
    factor: str = ""
    """What an amount of money is to be multiplied by, where it is not kept in hundredths."""

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers."""
        return self.type in NUMBERS

    @property
    def is_text(self) -> bool:
        """Whether it holds text."""
        return self.type in TEXTS

    @property
    def is_json(self) -> bool:
        """Whether it holds JSON."""
        return self.type in JSON


@dataclass(frozen=True)
class Reference:
    """What a foreign key of one column points to."""

    schema: str
    table: str
    column: str


@dataclass(frozen=True)
class Table:
    """A table, view or foreign table that may be the app's."""

    schema: str
    name: str
    kind: str
    rows: int
    is_readable: bool
    hides_rows: bool
    columns: dict[str, Column]
    comment: str = ""
    keys: tuple[frozenset[str], ...] = ()
    indexed: frozenset[str] = frozenset()
    references: dict[str, Reference] = field(default_factory=dict)
    shows: frozenset[tuple[str, str]] = frozenset()
    """Schema and name of the tables that a view reads."""
    query: str = ""
    """What stands in a table's place, such as two tables united."""

    @property
    def label(self) -> str:
        """Its name with the schema, as people write it."""
        return self.name if self.query else f"{self.schema}.{self.name}"

    @property
    def sql(self) -> str:
        """Its name with the schema, quoted where need be, or its query."""
        return f"({self.query})" if self.query else f"{quoted(self.schema)}.{quoted(self.name)}"

    @property
    def key(self) -> str | None:
        """The column of its primary key, or of the first unique key of one column."""
        return next((next(iter(key)) for key in self.keys if len(key) == 1), None)

    @property
    def unique_columns(self) -> list[Column]:
        """The columns that are a key by themselves, the primary key first."""
        names = [next(iter(key)) for key in self.keys if len(key) == 1]
        return [self.columns[name] for name in names if name in self.columns]

    def is_unique(self, column: str) -> bool:
        """Whether no two rows have the same value there."""
        return frozenset([column]) in self.keys


def quoted(name: str) -> str:
    """An identifier, in double quotes unless it is plain and no word of SQL."""
    if re.fullmatch(r"[a-z_][a-z0-9_]*", name) and name not in RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def read(cursor: Cursor) -> list[Table]:
    """All tables of the database that may be an app's, whether this role may read them or not."""
    factor = _pin_money(cursor)
    cursor.execute(TABLES, [NOT_THE_APPS])
    tables = {}
    for oid, schema, name, kind, rows, readable, hides, comment in cursor.fetchall():
        tables[oid] = Table(
            schema, name, KINDS[kind], max(int(rows), 0), readable, hides, {}, comment or ""
        )
    ids = list(tables)
    cursor.execute(COLUMNS, [ids])
    for oid, name, type_name, labels, comment, default in cursor.fetchall():
        tables[oid].columns[name] = Column(
            name,
            type_name,
            tuple(labels or ()),
            comment or "",
            default or "",
            factor if type_name == "money" else "",
        )
    cursor.execute(KEYS, [ids])
    keys: dict[int, list[frozenset[str]]] = {}
    indexed: dict[int, set[str]] = {}
    for oid, is_unique, names in cursor.fetchall():
        if is_unique:
            keys.setdefault(oid, []).append(frozenset(names))
        indexed.setdefault(oid, set()).add(names[0])
    cursor.execute(REFERENCES, [ids])
    for oid, column, schema, table, other in cursor.fetchall():
        tables[oid].references[column] = Reference(schema, table, other)
    cursor.execute(SHOWN, [ids])
    shown: dict[int, set[tuple[str, str]]] = {}
    for oid, schema, table in cursor.fetchall():
        shown.setdefault(oid, set()).add((schema, table))
    return [
        Table(
            **{
                **vars(table),
                "shows": frozenset(shown.get(oid, ())),
                "keys": tuple(keys.get(oid, ())),
                "indexed": frozenset(indexed.get(oid, ())),
            }
        )
        for oid, table in tables.items()
    ]


def _pin_money(cursor: Cursor) -> str:
    """Read money in hundredths, as a run does; what then makes it what the database means by it."""
    cursor.execute("select scale(cast(cast(0 as money) as numeric))")
    [digits] = cursor.fetchone() or [2]
    cursor.execute("set local lc_monetary = 'C'")
    return {0: " * 100", 1: " * 10", 2: ""}.get(digits, f" / {10 ** (digits - 2)}.0")


# Tables whose policies hide rows from this role, or from the owner of a view in whose name the view
# reads; and the views, at every level, that read such a table.
TABLES = """
with recursive reads (top, relation, role_id) as (
    select oid, oid, (select oid from pg_roles where rolname = current_user)
    from pg_class where relkind in ('r', 'p', 'v')
    union
    select
        top, refobjid,
        case when reloptions && array['security_invoker=true', 'security_invoker=on']
            then role_id else relowner end
    from reads
    inner join pg_class on pg_class.oid = relation and relkind = 'v'
    inner join pg_rewrite on ev_class = relation
    inner join pg_depend
        on classid = 'pg_rewrite'::regclass and objid = pg_rewrite.oid
        and refclassid = 'pg_class'::regclass and refobjid <> ev_class
),
hidden as (
    select top
    from reads
    inner join pg_class on pg_class.oid = relation and relrowsecurity
    inner join pg_roles on pg_roles.oid = role_id and not rolsuper and not rolbypassrls
    where (relforcerowsecurity or not pg_has_role(role_id, relowner, 'usage'))
        and coalesce((
            select not bool_or(polpermissive and pg_get_expr(polqual, polrelid) = 'true')
                or not bool_and(polpermissive)
            from pg_policy
            where polrelid = relation and polcmd in ('r', '*') and exists (
                select from unnest(polroles) as named (id)
                where case when id = 0 then true else pg_has_role(role_id, id, 'usage') end
            )
        ), true)
)
select
    pg_class.oid, nspname, relname, relkind, reltuples,
    has_schema_privilege(pg_namespace.oid, 'usage')
    and has_any_column_privilege(pg_class.oid, 'select'),
    exists (select from hidden where hidden.top = pg_class.oid),
    obj_description(pg_class.oid, 'pg_class')
from pg_class
inner join pg_namespace on pg_namespace.oid = relnamespace
where relkind in ('r', 'p', 'v', 'm', 'f') and not relispartition and nspname !~ %s
    and not exists (
        select from pg_depend
        where classid = 'pg_class'::regclass and objid = pg_class.oid and deptype = 'e'
    )
order by nspname, relname
"""
COLUMNS = """
with recursive based (oid, base_id) as (
    select oid, coalesce(nullif(typbasetype, 0), oid) from pg_type
    union
    select based.oid, typbasetype
    from based inner join pg_type on pg_type.oid = base_id
    where typbasetype <> 0
)
select
    attrelid, attname,
    case when base.typtype = 'e' then 'enum' else format_type(base.oid, null) end,
    (
        select array_agg(enumlabel::text order by enumsortorder)
        from pg_enum where enumtypid = base.oid
    ),
    col_description(attrelid, attnum),
    (
        select pg_get_expr(adbin, adrelid)
        from pg_attrdef where adrelid = attrelid and adnum = attnum
    )
from pg_attribute
inner join based on based.oid = atttypid
inner join pg_type as base on base.oid = base_id and base.typtype <> 'd'
where attrelid = any (%s::oid[]) and attnum > 0 and not attisdropped
    and (
        has_column_privilege(attrelid, attnum, 'select')
        or not has_any_column_privilege(attrelid, 'select')
    )
order by attrelid, attnum
"""
KEYS = """
select
    indrelid,
    indisunique and indpred is null and indisvalid,
    array_agg(attname::text order by place)
from pg_index
cross join lateral unnest(indkey::int2[]) with ordinality as columns (number, place)
inner join pg_attribute on attrelid = indrelid and attnum = number
where indrelid = any (%s::oid[]) and indexprs is null and place <= indnkeyatts
group by indexrelid, indrelid, indisunique, indpred, indisvalid, indisprimary
order by indisprimary desc, indexrelid
"""
REFERENCES = """
select conrelid, here.attname, nspname, relname, there.attname
from pg_constraint
inner join pg_attribute as here on here.attrelid = conrelid and here.attnum = conkey[1]
inner join pg_attribute as there on there.attrelid = confrelid and there.attnum = confkey[1]
inner join pg_class on pg_class.oid = confrelid
inner join pg_namespace on pg_namespace.oid = relnamespace
where contype = 'f' and cardinality(conkey) = 1 and conrelid = any (%s::oid[])
"""
SHOWN = """
select distinct ev_class, nspname, relname
from pg_rewrite
inner join pg_depend
    on classid = 'pg_rewrite'::regclass and objid = pg_rewrite.oid
    and refclassid = 'pg_class'::regclass and refobjid <> ev_class
inner join pg_class on pg_class.oid = refobjid
inner join pg_namespace on pg_namespace.oid = relnamespace
where ev_class = any (%s::oid[])
"""
# Words that may not be a column's name, or are a type's, as `pg_get_keywords` lists them.
RESERVED = frozenset(
    re.findall(
        r"\w+",
        """
    all analyse analyze and any array as asc asymmetric authorization between bigint binary bit
    boolean both case cast char character check coalesce collate collation column concurrently
    constraint create cross current_catalog current_date current_role current_schema current_time
    current_timestamp current_user dec decimal default deferrable desc distinct do else end except
    exists extract false fetch float for foreign freeze from full grant greatest group grouping
    having ilike in initially inner inout int integer intersect interval into is isnull join
    lateral leading least left like limit localtime localtimestamp natural nchar none normalize
    not notnull null nullif numeric offset on only or order out outer overlaps overlay placing
    position precision primary real references returning right row select session_user setof
    similar smallint some substring symmetric system_user table tablesample then time timestamp to
    trailing treat trim true union unique user using values varchar variadic verbose when where
    window with xmlattributes xmlconcat xmlelement
    """,
    )
)
