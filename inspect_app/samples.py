"""Values of tables, a bounded number of them, and counts that the server makes.

What is read here stays here: only words of a vocabulary are ever shown or written.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import psycopg2
from psycopg2.extensions import cursor as Cursor

from inspect_app import database
from inspect_app.catalogue import INTEGERS, Column, Reference, Table, quoted

ROWS = 1000
VALUES_LOOKED_UP = 400
MOST_WORDS = 200
TABLE_IS_LARGE = 100_000
UUID_TEXT = re.compile(r"\{?[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\}?")
# The spirit of `clean_name`: what a word of a vocabulary may look like.
WORD = re.compile(r"(?=.*[a-zA-Z0-9])[a-zA-Z0-9._/:+-]{1,40}( [a-zA-Z0-9._/:+-]{1,20}){0,2}")
NO_WORD = re.compile(
    r"[0-9]{7}|@|://|^[0-9a-f-]{16,}$|^(sk|pk|rk|key|token)[-_]|([0-9].*){12}"
    r"|[.](com|org|net|io|dev|png|jpe?g|webp|mp4)$|^(user|cus|sub|pi|cs|ch|in)_[A-Za-z0-9]{10}"
    r"|([a-z][A-Z].*){5}"
)

Row = dict[str, str | None]


@dataclass
class Sampler:
    """Reads the values of one database; each question is asked once."""

    cursor: Cursor
    tables: list[Table]
    tired: list[str] = field(default_factory=list)
    keys: dict[str, Any] = field(default_factory=dict)
    """What was found of the keys in JSON, by table."""
    directions: dict[tuple[str, ...], Any] = field(default_factory=dict)
    """For each ledger and way to read it, which way its kinds move balances."""
    _rows: dict[str, list[Row]] = field(default_factory=dict)
    _words: dict[tuple[str, str], Counter[str] | None] = field(default_factory=dict)
    _found: dict[tuple[str, str, frozenset[str]], int] = field(default_factory=dict)

    def table_of(self, reference: Reference) -> Table | None:
        """The table that a foreign key leads to, if this role may read it."""
        return next(
            (
                table
                for table in self.tables
                if (table.schema, table.name) == (reference.schema, reference.table)
                and table.is_readable
            ),
            None,
        )

    def rows(self, table: Table) -> list[Row]:
        """Some rows of a table, each value as text; of a large one from all over it."""
        if table.label not in self._rows:
            columns = ", ".join(_shown(column) for column in table.columns.values())
            where = self.part(table)
            query = f"select {columns} from {table.sql} as app_row{where} limit {ROWS}"
            found = self.ask(query, table.label) or []
            names = list(table.columns)
            self._rows[table.label] = [dict(zip(names, row, strict=True)) for row in found]
        return self._rows[table.label]

    def values(self, table: Table, column: str) -> list[str]:
        """The values of a column in the sample that are not null."""
        return [row[column] or "" for row in self.rows(table) if row[column] is not None]

    def numbers(self, table: Table, column: str) -> list[Decimal]:
        """Those of them that are numbers."""
        found = (number(value) for value in self.values(table, column))
        return [each for each in found if each is not None]

    def is_empty(self, table: Table) -> bool:
        """Whether a table has no rows."""
        return not self.rows(table)

    def words(self, table: Table, expression: str) -> Counter[str] | None:
        """How many rows have each value of a vocabulary, trimmed; None where it is none."""
        key = (table.label, expression)
        if key not in self._words:
            self._words[key] = self._count(table, expression)
        return self._words[key]

    def grouped(self, table: Table, expression: str, measures: str) -> list[tuple[Any, ...]]:
        """Aggregates of all rows by an expression; of a part of them where that takes too long."""
        query = (
            "select btrim(cast({expression} as text)), count(*), {measures} from {table}{part}"
            " as app_row group by 1 order by 2 desc limit {most}"
        )
        for part in ("", self.part(table, always=True)):
            found = self.ask(
                query.format(
                    expression=expression,
                    measures=measures,
                    table=f"(select * from {table.sql} as app_row{part} limit 1000000)"
                    if part
                    else table.sql,
                    part="",
                    most=MOST_WORDS + 1,
                ),
                table.label,
            )
            if found is not None:
                return found
        return []

    def matches(self, values: Iterable[str], table: Table, column: str) -> tuple[int, int]:
        """How many of some distinct values there are, and how many of them the column has."""
        wanted = frozenset(sorted(set(values))[:VALUES_LOOKED_UP])
        key = (table.label, column, wanted)
        if key not in self._found:
            self._found[key] = self._look_up(wanted, table, table.columns[column])
        return len(wanted), self._found[key]

    def share(self, values: Iterable[str], table: Table, column: str) -> float:
        """The share of some values that a column has; 0 of none."""
        asked, found = self.matches(values, table, column)
        return found / asked if asked else 0.0

    def ask(self, query: str, label: str, values: Any = None) -> list[tuple[Any, ...]] | None:
        """The rows of a query; None where it fails or takes too long.

        Raises:
            psycopg2.Error: the connection is lost.
        """
        self.cursor.execute("savepoint asked")
        try:
            self.cursor.execute(query, values)
            found = self.cursor.fetchall()
        except psycopg2.Error as error:
            if database.is_lost(error):
                raise
            self.cursor.execute("rollback to savepoint asked")
            if isinstance(error, psycopg2.errors.QueryCanceled):
                self.tired.append(label)
            return None
        self.cursor.execute("release savepoint asked")
        return found

    def part(self, table: Table, always: bool = False) -> str:
        """What takes a part of a large table, from all over it."""
        if table.kind in ("view", "foreign table", "query"):
            return ""
        if table.rows < TABLE_IS_LARGE and not always:
            return ""
        percent = min(100.0, 100 * 50.0 * ROWS / max(table.rows, ROWS))
        return f" tablesample system ({percent:.4f}) repeatable (1)"

    def _count(self, table: Table, expression: str) -> Counter[str] | None:
        found = self.grouped(table, expression, "null")
        counted = Counter({str(value): int(count) for value, count, _ in found if value})
        if not found or len(found) > MOST_WORDS:
            return None
        return counted if all(is_word(value) for value in counted) else None

    def _look_up(self, wanted: frozenset[str], table: Table, column: Column) -> int:
        name = quoted(column.name)
        if column.type == "uuid":
            usable = [str(UUID(each)) for each in wanted if UUID_TEXT.fullmatch(each)]
            cast = "uuid"
        elif column.type in INTEGERS:
            usable = [each for each in wanted if re.fullmatch(r"-?[0-9]{1,9}", each)]
            cast = "integer"
        else:
            usable, cast = list(wanted), "text"
        if not usable:
            return 0
        held = f"cast({name} as text)" if column.type == "enum" else name
        found = self.ask(
            f"select count(*) from unnest(%s::{cast}[]) as value"
            f" where exists (select from {table.sql} as app_row where {held} = value)",
            table.label,
            [usable],
        )
        count = int(found[0][0]) if found else 0
        if count or cast != "text":
            return count
        # The same UUID in another spelling.
        spelled = [
            re.sub("[-{}]", "", each).lower() for each in usable if UUID_TEXT.fullmatch(each)
        ]
        if not spelled:
            return 0
        found = self.ask(
            "select count(*) from unnest(%s::text[]) as value where value in"
            f" (select translate(lower(cast({name} as text) collate \"C\"), '-{{}}', '')"
            f" from {table.sql} as app_row)",
            table.label,
            [spelled],
        )
        return int(found[0][0]) if found else 0


def _shown(column: Column) -> str:
    width = 4000 if column.is_json else 400
    if column.type == "money":
        return f"cast(cast({quoted(column.name)} as numeric){column.factor} as text)"
    return f"left(cast({quoted(column.name)} as text), {width})"


def number(text: str | None) -> Decimal | None:
    """The number that a text is; None for any other text."""
    if text is None:
        return None
    try:
        found = Decimal(text.replace("$", "").replace(",", "").strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def is_word(value: str) -> bool:
    """Whether a value may be shown: a word of a vocabulary, and nothing that tells of a person."""
    return len(value) <= 60 and bool(WORD.fullmatch(value)) and not NO_WORD.search(value)


def json_object(text: str | None) -> dict[str, Any]:
    """The object that a text is in JSON; empty for any other text."""
    if not text or not text.lstrip().startswith("{"):
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
