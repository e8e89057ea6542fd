"""From Spark's marts to tables of PostgreSQL, in one transaction.

Rows are replaced where they stand: readers have the old ones until the commit and wait for nothing;
grants, views and indexes stay. Of a table with a unique key only rows that differ are written.
"""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

import psycopg2
import pyarrow as pa
import pyarrow.compute as pc
from dbt_pg_python_models.encoding import POSTGRES_TYPE, encode
from dbt_pg_python_models.writing import Columns, column_types, copy_in
from psycopg2 import errors

from reader.problems import Problem, of_server, shown
from reader.progress import Tell
from spark_io.spark import Spark
from spark_io.store import Store

VERSION = "paygen.version"
SETTINGS = """
set local search_path = pg_catalog, pg_temp;
set local timezone = 'UTC';
set local datestyle = 'ISO, YMD';
set local statement_timeout = 0;
set local idle_in_transaction_session_timeout = 0
"""
COMMENTS = """
select pg_class.relname, attname, coalesce(
    case when attnum is null then obj_description(pg_class.oid, 'pg_class')
    else col_description(pg_class.oid, attnum) end, ''
)
from pg_class
inner join pg_namespace on pg_namespace.oid = relnamespace
left join lateral (
    select null::name as attname, null::smallint as attnum
    union all
    select attname, attnum from pg_attribute
    where attrelid = pg_class.oid and attnum > 0 and not attisdropped
) as columns on true
where nspname = %s and relname = any(%s)
"""
HAS_KEY = """
select exists (
    select from pg_index
    where indrelid = %s::regclass and indisunique and indisvalid and indpred is null
        and indexprs is null
)
"""


@dataclass(frozen=True)
class Rows:
    """The rows of a mart, and how many there must be."""

    count: int
    tables: Iterator[pa.Table]


def publish(spark: Spark, store: Store, schema: str, answer: Mapping[str, Any], tell: Tell) -> int:
    """Copy all marts of a schema of Spark's, and answer how many rows they have.

    Raises:
        Problem: the marts cannot be read or written; readers have those of before.
    """
    marts = {mart["name"]: mart for mart in answer["marts"]}
    folder = f"published-{secrets.token_hex(4)}"
    versions = _versions(spark, schema, marts)
    missing = [name for name in marts if name not in versions and not marts[name]["is_left_out"]]
    if missing:
        raise Problem(
            f"Spark has no {' or '.join(missing[:2])} in schema {schema}: run dbt build --target"
            " spark of this release first. Nothing was changed."
        )
    with transaction(answer) as cursor:
        try:
            rows = {}
            for number, (name, version) in enumerate(versions.items()):
                tell("Spark writes", number, len(versions))
                count = _write(spark, store, schema, folder, marts[name], version)
                rows[name] = Rows(count, store.read(folder, name))
            tell("Spark writes", len(versions), len(versions))
            if _versions(spark, schema, marts) != versions:
                raise Problem(
                    "A run on Spark wrote marts meanwhile: publish again when it is done. Nothing"
                    " was changed."
                )
            replace(cursor, answer, rows, tell)
        finally:
            store.remove(folder)
    return sum(each.count for each in rows.values())


def replace(cursor: Any, answer: Mapping[str, Any], rows: Mapping[str, Rows], tell: Tell) -> None:
    """Have the marts' tables hold these rows, and no others.

    One without rows given is made empty, where there is none, so that what reads it goes on.
    """
    done, total = 0, sum(each.count for each in rows.values())
    for mart in answer["marts"]:
        given = rows.get(mart["name"])
        _replace(cursor, mart, given, answer["bring_in"])
        done += given.count if given else 0
        tell("PostgreSQL reads", done, total)
    _describe(cursor, answer)
    for query in answer["rights"]:
        cursor.execute(query)
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)


def _versions(spark: Spark, schema: str, marts: Mapping[str, Any]) -> dict[str, str]:
    """The table behind the view of each mart that Spark has."""
    found = {}
    for row in spark.rows(f"show views in `{schema}`"):
        if row[1] in marts:
            [[_, version]] = spark.rows(f"show tblproperties `{schema}`.`{row[1]}` ('{VERSION}')")
            found[row[1]] = version
    return found


def _write(
    spark: Spark, store: Store, schema: str, folder: str, mart: Mapping[str, Any], version: str
) -> int:
    """Have Spark write a mart into files; answer how many rows there must be."""
    names = [column["name"] for column in mart["columns"]]
    found = [row[0] for row in spark.rows(f"describe `{schema}`.`{version}`")]
    if found != names:
        raise Problem(
            f"{mart['name']} on Spark has the columns {shown(', '.join(found), 200)}, and its"
            " contract others: build there again with this release. Nothing was changed."
        )
    columns = ", ".join(f"`{name}`" for name in names)
    spark.rows(
        f"insert overwrite directory '{store.url(folder, mart['name'])}' using parquet"
        f" select {columns} from `{schema}`.`{version}`"
    )
    return int(spark.rows(f"select count(*) from `{schema}`.`{version}`")[0][0])


@contextmanager
def transaction(answer: Mapping[str, Any]) -> Iterator[Any]:
    """A transaction of the only one who writes the marts' schema, which is made if there is none.

    Raises:
        Problem: no server answers, the role may not, or dbt builds into the schema.
    """
    try:
        connection = psycopg2.connect(application_name="paygen spark-publish")
    except psycopg2.OperationalError as error:
        raise of_server(error) from error
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(SETTINGS)
            _claim(cursor, answer)
            yield cursor
    except errors.InsufficientPrivilege as error:
        raise Problem(
            f"Role {connection.info.user} may not write to schema {answer['schema']}"
            f" ({shown(error.diag.message_primary or '')}): publish as the role that builds, see"
            " setup/build_role.sql. Nothing was changed."
        ) from error
    finally:
        connection.close()


def _claim(cursor: Any, answer: Mapping[str, Any]) -> None:
    """Make sure that the schema is ours to write, and nobody else writes there."""
    schema, names = answer["schema"], [mart["name"] for mart in answer["marts"]]
    cursor.execute("select pg_try_advisory_xact_lock(hashtext('paygen ' || %s))", [schema])
    if not cursor.fetchone()[0]:
        raise Problem("Another publish has not ended: try again in a moment.")
    cursor.execute(
        "select pg_namespace.oid, obj_description(pg_namespace.oid, 'pg_namespace'),"
        " (select min(relname) from pg_class where relnamespace = pg_namespace.oid"
        " and relname = any(%s)) from pg_namespace where nspname = %s",
        [names, schema],
    )
    found = cursor.fetchone()
    if found is None:
        cursor.execute(f"create schema {_quoted(schema)}")
    elif found[1] != answer["marker"] and found[2] is not None:
        raise Problem(
            f"Schema {schema} has marts that dbt built in this database, {found[2]} and others, and"
            " they would be overwritten: publish into another (TARGET=, a target of profiles.yml"
            f" with a schema of its own), or drop them first: drop schema {schema} cascade."
        )
    if found is None or found[1] != answer["marker"]:
        cursor.execute(f"comment on schema {_quoted(schema)} is %s", [answer["marker"]])


def _replace(cursor: Any, mart: Mapping[str, Any], rows: Rows | None, bring_in: str) -> None:
    types = {column["name"]: column["type"] for column in mart["columns"]}
    names = ", ".join(map(_quoted, types))
    columns = ", ".join(f"{_quoted(name)} {type_}" for name, type_ in types.items())
    cursor.execute("select to_regclass(%s) is not null", [mart["relation"]])
    stands = cursor.fetchone()[0]
    if stands and not rows:
        return
    rows = rows or Rows(0, iter(()))
    new_rows = f"pg_temp.{_quoted(mart['name'][:50] + '__new')}"
    cursor.execute(f"create temporary table {new_rows[8:]} ({columns}) on commit drop")
    declared = column_types(cursor, new_rows)
    _copy(cursor, new_rows, types, rows.tables)
    if not stands or column_types(cursor, mart["relation"]) != declared:
        cursor.execute(
            f"drop table if exists {mart['new_relation']};"
            f" create table {mart['new_relation']} ({columns});"
            f" insert into {mart['new_relation']} select * from {new_rows}"
        )
        for statement in mart["indexes"]:
            cursor.execute(statement)
        cursor.execute(bring_in.replace("a_mart", mart["name"]))
    else:
        cursor.execute(HAS_KEY, [mart["relation"]])
        gone = new = ""
        if cursor.fetchone()[0]:
            cursor.execute(f"analyze {new_rows}")
            gone = f"where not exists (select from {new_rows} as new where new = mart)"
            new = f"where not exists (select from {mart['relation']} as mart where mart = new)"
        cursor.execute(
            f"delete from {mart['relation']} as mart {gone};"
            f" insert into {mart['relation']} ({names})"
            f" select {names} from {new_rows} as new {new};"
            f" analyze {mart['relation']}"
        )
    cursor.execute(f"drop table {new_rows}; select count(*) from {mart['relation']}")
    if (count := cursor.fetchone()[0]) != rows.count:
        raise Problem(
            f"{count} rows of {mart['name']} arrived, and Spark has {rows.count}: the folder in"
            " between must be one that this machine reaches. Nothing was changed."
        )


def _copy(cursor: Any, relation: str, types: Mapping[str, str], tables: Iterator[pa.Table]) -> None:
    encoded = (_trimmed(encode(table, types)) for table in tables)
    first = next(encoded, None)
    if first is not None:
        columns = Columns()
        columns.add(first, types)
        copy_in(cursor, relation, columns, chain([first], encoded))


def _trimmed(table: pa.Table) -> pa.Table:
    """Decimals without the zeros that fill up their scale, as PostgreSQL's own marts have them."""
    for place, field in enumerate(table.schema):
        if (field.metadata or {}).get(POSTGRES_TYPE) == b"numeric":
            texts = table.column(place)
            trimmed = pc.utf8_rtrim(pc.utf8_rtrim(texts, "0"), ".")
            texts = pc.if_else(pc.match_substring(texts, "."), trimmed, texts)
            table = table.set_column(place, field, texts.cast(field.type))
    return table


def _describe(cursor: Any, answer: Mapping[str, Any]) -> None:
    """Write the comments that are to change."""
    marts = {mart["name"]: mart for mart in answer["marts"]}
    cursor.execute(COMMENTS, [answer["schema"], list(marts)])
    for name, column, comment in cursor.fetchall():
        mart = marts[name]
        if column is None:
            what, wanted = f"table {mart['relation']}", mart["description"]
        else:
            descriptions = {each["name"]: each["description"] for each in mart["columns"]}
            what = f"column {mart['relation']}.{_quoted(column)}"
            wanted = descriptions.get(column, comment)
        if wanted != comment:
            cursor.execute(f"comment on {what} is %s", [wanted])


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
