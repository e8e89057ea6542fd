"""Bring a statement's lines into `int_statement_lines`, each once, in one transaction."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg2
from psycopg2 import errors, sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from reader.problems import Problem, of_server, shown
from statement.files import Statement

LINES, FILES = "int_statement_lines", "int_statement_files"
COLUMNS = (
    "line_number", "line_id", "prediction_id", "model", "state", "price_usd", "list_price_usd",
    "billed_at",
)  # fmt: skip
SHOWN = 10

# The key of a line, as docs/statement.md has it. Texts are compared as they are written.
KEYED = """
create temporary table keyed_lines on commit drop as
select
    *,
    row_number() over (partition by line_key order by line_number) as copy_number
from (
    select
        coalesce(
            line_id || ' ' || coalesce(state, ''),
            prediction_id || ' ' || coalesce(state, '') || ' ' || occurrence,
            'no id ' || coalesce(billed_at::text, '') || ' ' || coalesce(price_usd::text, '') || ' '
            || coalesce(state, '') || ' ' || occurrence
        ) as line_key,
        numbered.*
    from (
        select
            given.*,
            row_number() over (
                partition by
                    line_id, prediction_id, state,
                    case when prediction_id is null then (billed_at, price_usd) end
                order by billed_at, price_usd, line_number
            ) as occurrence
        from pg_temp.given_lines as given
    ) as numbered
) as named
"""
AMOUNT = """
case
    when given.state is null or states.line_kind = 'charge' then abs(given.price_usd)
    when states.line_kind = 'refund' then -abs(given.price_usd)
end
"""
KEYED_LINES = """
pg_temp.keyed_lines as given left join {states} as states on given.state = states.state
"""
# The first of a file's lines of one key, then those that repeat a key within the file.
COPIES = ("given.copy_number = 1", "given.copy_number > 1")
VALUES = "prediction_id, model, price_usd, list_price_usd, billed_at"
DIFFERENCES = """
select
    given.line_number, given.prediction_id, given.state, coalesce(files.file_name, '?'),
    stored.line_number, stored.price_usd, given.price_usd, stored.billed_at, given.billed_at
from pg_temp.keyed_lines as given
inner join {lines} as stored on given.line_key = stored.line_key and not stored.differs_from_loaded
left join {files} as files on stored.file_checksum = files.file_checksum
where {copies} and ({given}) is distinct from ({stored})
order by given.line_number
"""


INSERT = """
insert into {lines} (
    line_key, file_checksum, line_number, line_id, prediction_id, model, state, price_usd,
    list_price_usd, billed_at, differs_from_loaded
)
select
    given.line_key, %s, given.line_number, given.line_id, given.prediction_id, given.model,
    given.state, given.price_usd, given.list_price_usd, given.billed_at,
    stored.line_key is not null
from pg_temp.keyed_lines as given
left join {lines} as stored on given.line_key = stored.line_key and not stored.differs_from_loaded
where {copies} and (stored.line_key is null or ({given}) is distinct from ({stored}))
"""


@dataclass(frozen=True)
class Loaded:
    """What became of one file; `differences` are sentences."""

    name: str
    was_loaded_as: str | None
    lines: int = 0
    new: int = 0
    repeated: int = 0
    differences: tuple[str, ...] = ()
    total_usd: Decimal = Decimal(0)


class Store:
    """The loaded statement in the database, for one transaction."""

    def __init__(self, cursor: Cursor, schema: str):
        self._cursor = cursor
        place = f"{schema}_intermediate"
        self._names = {
            "lines": sql.Identifier(place, LINES),
            "files": sql.Identifier(place, FILES),
            "states": sql.Identifier(f"{schema}_seeds", "vendor_line_states"),
            "given": _row("given", VALUES),
            "stored": _row("stored", VALUES),
        }

    def lock(self) -> None:
        """Wait for another load to end."""
        self._run("lock table {files} in share row exclusive mode")

    def add(self, statement: Statement) -> Loaded:
        """Store the lines of a file that are new, or differ from what an earlier file says.

        Raises:
            Problem: its lines do not add up to its own total.
        """
        self._run("select file_name from {files} where file_checksum = %s", [statement.checksum])
        if known := self._cursor.fetchone():
            return Loaded(statement.name, known[0])
        self._copy(statement)
        total = self._total()
        if statement.total_usd is not None and abs(statement.total_usd) != abs(total):
            raise Problem(
                f"{statement.name}: its lines add up to {total:f} US dollars (charges less"
                f" refunds), and its total says {statement.total_usd:f}: get the whole file from"
                " the vendor. Nothing was loaded."
            )
        new, differences = 0, []
        for copies in COPIES:
            found = list(self._differences(statement, copies))
            self._run(INSERT.replace("{copies}", copies), [statement.checksum])
            new += self._cursor.rowcount - len(found)
            differences += found
        loaded = Loaded(
            statement.name,
            None,
            len(statement.lines),
            new,
            len(statement.lines) - new - len(differences),
            tuple(differences),
            total,
        )
        self._run(
            "insert into {files} (file_checksum, file_name, loaded_at, line_count, new_lines,"
            " repeated_lines, differing_lines, total_usd)"
            " values (%s, %s, now(), %s, %s, %s, %s, %s)",
            [
                statement.checksum, statement.name, loaded.lines, new, loaded.repeated,
                len(differences), total,
            ],
        )  # fmt: skip
        self._drop()
        return loaded

    def total_of(self, statements: Sequence[Statement]) -> Decimal:
        """Charges less refunds of some files; a line that several have counts once."""
        merged: dict[str, Decimal] = {}
        for statement in statements:
            self._copy(statement)
            self._run(f"select line_key, {AMOUNT} from {KEYED_LINES} where copy_number = 1")
            for key, amount in self._cursor.fetchall():
                merged.setdefault(key, amount or Decimal(0))
            self._drop()
        return sum(merged.values(), Decimal(0))

    def forget(self, which: str) -> list[str]:
        """Remove files by name or checksum, or `all`; answers their names."""
        self._run(
            """
            select file_checksum, file_name from {files}
            where %(which)s in ('all', file_name, file_checksum)
            """,
            {"which": which},
        )
        found = self._cursor.fetchall()
        checksums = [checksum for checksum, _ in found]
        self._run("delete from {lines} where file_checksum = any(%s)", [checksums])
        self._run("delete from {files} where file_checksum = any(%s)", [checksums])
        return [name for _, name in found]

    def names(self) -> list[str]:
        """The files that are loaded, in the order of their loading."""
        self._run("select file_name from {files} order by loaded_at, file_name")
        return [name for (name,) in self._cursor.fetchall()]

    def _copy(self, statement: Statement) -> None:
        self._run(
            """
            create temporary table given_lines (
                line_number integer, line_id text, prediction_id text, model text, state text,
                price_usd numeric, list_price_usd numeric, billed_at timestamptz
            ) on commit drop
            """
        )
        text = io.StringIO()
        rows = csv.writer(text)
        for line in statement.lines:
            rows.writerow(
                [
                    line.number, line.line_id, line.prediction_id, line.model, line.state,
                    line.price_usd, line.list_price_usd, line.billed_at,
                ]
            )  # fmt: skip
        text.seek(0)
        self._cursor.copy_expert(
            f"copy pg_temp.given_lines ({', '.join(COLUMNS)}) from stdin with (format csv)", text
        )
        self._run(KEYED)
        self._run("create index on pg_temp.keyed_lines (line_key)")
        self._run("analyze pg_temp.keyed_lines")

    def _total(self) -> Decimal:
        self._run(f"select coalesce(sum({AMOUNT}), 0) from {KEYED_LINES} where copy_number = 1")
        [(total,)] = self._cursor.fetchall()
        return Decimal(total)

    def _drop(self) -> None:
        self._run("drop table pg_temp.keyed_lines, pg_temp.given_lines")

    def _differences(self, statement: Statement, copies: str) -> Iterator[str]:
        self._run(DIFFERENCES.replace("{copies}", copies))
        for (
            number, prediction, state, file, line, price_then, price_now, then, now,
        ) in self._cursor.fetchall():  # fmt: skip
            changes = [
                f"{was} became {became}"
                for was, became in ((price_then, price_now), (then, now))
                if was != became
            ]
            yield (
                f"{statement.name}, line {number}: {shown(str(prediction))} {state or ''} differs"
                f" from {file}, line {line}, which counts"
                + (f" ({', '.join(changes)})" if changes else "")
            )

    def _run(self, query: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None) -> None:
        self._cursor.execute(sql.SQL(query).format(**self._names), parameters)


def _row(name: str, columns: str) -> sql.Composable:
    return sql.SQL(", ").join(sql.Identifier(name, each) for each in columns.split(", "))


@contextmanager
def opened(schema: str) -> Iterator[Store]:
    """The store in a transaction of the build role: all of it is kept, or nothing.

    Raises:
        Problem: no server answers, or the tables are missing or closed.
    """
    try:
        connection: Connection = psycopg2.connect(application_name="paygen statement")
    except psycopg2.OperationalError as error:
        raise of_server(error) from error
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "set local search_path = pg_catalog, pg_temp; set local timezone = 'UTC';"
                " set local datestyle = 'ISO, YMD'; set local lock_timeout = '60s'"
            )
            store = Store(cursor, schema)
            store.lock()
            yield store
    except errors.UndefinedTable as error:
        raise Problem(
            f"There is no table for the statement's lines in {schema}_intermediate: run `dbt build`"
            " once, then load it again."
        ) from error
    except errors.InsufficientPrivilege as error:
        raise Problem(
            f"Role {connection.info.user} may not write to {schema}_intermediate: load the"
            " statement as the role that builds."
        ) from error
    except errors.LockNotAvailable as error:
        raise Problem("Another load has not ended: try again in a moment.") from error
    finally:
        connection.close()
