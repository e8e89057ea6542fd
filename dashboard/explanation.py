"""Why a figure is what it is: its rule, its parts, and their rows back to the app's own.

The registry is the mart `figure_parts`; what counts is in `figure_rows`, and what stands behind a
generation in `generation_rows`. The operation `explain` reads the same.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any
from urllib.parse import urlencode

from dashboard import queries
from dashboard.filters import once_each
from dashboard.queries import Query, columns
from reader.database import Row, Snapshot
from reader.months import read_month
from reader.problems import BadRequest, NotFound, shown

ROWS_SHOWN = 50
EXACT = Context(prec=80, rounding=ROUND_HALF_UP)
# The columns that name a cell, and what they are called in an address.
NAMES = {
    "month_start": "month",
    "usage_date": "day",
    "provider": "provider",
    "enhancement_type": "type",
    "user_id": "user",
}
IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")
EXPLAINED = Query(
    "explained",
    "Explained figures",
    ("figure_parts",),
    "select distinct mart, figure, cell_keys from {schema}.figure_parts",
)
PARTS = Query(
    "parts",
    "Parts of a figure",
    ("figure_parts",),
    "select * from {schema}.figure_parts where mart = %(mart)s order by side desc, measure",
)
FILE = columns(
    *("side | Side | text | figure_parts", "measure | Measure | text | figure_rows"),
    *("row_kind | Kind | text | figure_rows", "row_id | Id | text | figure_rows"),
    "generation_id | Generation | text | figure_rows",
    *("row_at | Created | time | figure_rows", "place | Place | count | figure_rows"),
    "contributes | Contributes | number | figure_rows",
)
ROWS = Query(
    "rows",
    "Rows that count",
    ("figure_rows",),
    "select * from {schema}.figure_rows",
)
BEHIND = Query(
    "behind",
    "Rows behind generations",
    ("generation_rows",),
    """
    select behind.*
    from unnest(%(ids)s::text[]) as wanted (id)
    cross join lateral (
        select * from {schema}.generation_rows where generation_id = wanted.id offset 0
    ) as behind
    order by generation_id, created_at, app_row_id
    """,
)
BALANCES = Query(
    "ledger_balances",
    "Balances by the ledger",
    ("credit_balance_reconciliation",),
    """
    select user_id, app_balance, ledger_balance
    from {schema}.credit_balance_reconciliation
    where user_id = any(%(ids)s::text[])
    """,
)


@dataclass(frozen=True)
class Asked:
    """One cell of a mart, as an address names it, and which of its rows."""

    mart: str
    figure: str
    month: date | None = None
    day: date | None = None
    provider: str | None = None
    type: str | None = None
    user: str | None = None
    part: int = 1
    page: int = 1

    @property
    def names(self) -> list[tuple[str, str]]:
        """What names the cell."""
        given = vars(self)
        return [
            (name, f"{given[name]:%Y-%m}" if name == "month" else str(given[name]))
            for name in NAMES.values()
            if given[name] is not None
        ]

    def address(self, path: str = "explain", **changed: Any) -> str:
        """The address of its explanation, with some of it changed."""
        values = {**vars(self), **changed}
        texts = {
            name: f"{value:%Y-%m}" if name == "month" else str(value)
            for name, value in values.items()
            if value is not None and (name, value) not in (("page", 1), ("part", 1))
        }
        return f"{path}?{urlencode(texts)}"


@dataclass(frozen=True)
class Period:
    """The days of a cell's rows, the last one not included, and what else they must be."""

    first: date | None
    end: date | None
    more: str = "true"


@dataclass(frozen=True)
class Part:
    """One measure of a figure: how many rows count, and what they add up to."""

    row: Row
    rows: int
    total: Decimal


@dataclass(frozen=True)
class Line:
    """One row that counts, with the app's rows behind it."""

    row: Row
    behind: Sequence[str]
    href: str | None


@dataclass(frozen=True)
class Explanation:
    """All that the page of an explanation says."""

    asked: Asked
    rule: str
    value: Any
    answer: Decimal | None
    parts: list[Part]
    shown: Part
    lines: list[Line]
    as_of: Any
    zone: str

    @property
    def adds_up(self) -> bool:
        """Whether the rows give the cell."""
        return bool(self.answer == self.value)

    @property
    def pages(self) -> int:
        """How many pages the rows of the part that is shown have."""
        return max(1, -(-self.shown.rows // ROWS_SHOWN))


def parse(parameters: Iterable[tuple[str, str]]) -> Asked:
    """Read which cell an address names; whether there is such a cell is not looked up here.

    Raises:
        BadRequest: a name is there twice, in another form, or missing.
    """
    given = once_each(parameters, Asked.__dataclass_fields__)
    for name in ("mart", "figure"):
        if name not in given:
            raise BadRequest(f"The address names no {name}: name mart, figure and its cell.")
    values: dict[str, Any] = dict(given)
    if "month" in given:
        values["month"] = read_month(given["month"])
    if "day" in given:
        values["day"] = _day(given["day"])
    for name in {"part", "page"} & given.keys():
        if not re.fullmatch("[1-9][0-9]{0,8}", given[name]):
            raise BadRequest(f"{name} is '{shown(given[name])}': it is a number from 1 on.")
        values[name] = int(given[name])
    return Asked(**values)


def _day(text: str) -> date:
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise BadRequest(f"day is '{shown(text)}': write it as YYYY-MM-DD, as in 2026-11-30.")


def cell_of(cells: dict[tuple[str, str], str], source: str, values: Row) -> Asked | None:
    """The cell that a figure of the page shows; None where it is not explained.

    Args:
        cells: by mart and figure, the columns that name a cell.
        source: mart and column.
        values: of those columns, as far as they are known.
    """
    mart, _, figure = source.partition(".")
    keys = cells.get((mart, figure))
    if keys is None:
        return None
    found: dict[str, Any] = {
        name: values.get(key) for key, name in NAMES.items() if key in keys.split(", ")
    }
    if "usage_date" in keys:
        if found["day"] is None:
            found["month"] = values.get("month_start")
        if found["day"] is None and found["month"] is None:
            return None
    elif None in found.values():
        return None
    return Asked(mart, figure, **found)


class Cell:
    """A cell that is there: its parts, its value, and the queries of its rows."""

    def __init__(self, snapshot: Snapshot, asked: Asked, overview: Row):
        """Look a cell up.

        Raises:
            NotFound: there is no such mart, figure or cell.
            BadRequest: what names the cell is missing, or names none of its marts.
            Problem: a mart is missing or closed.
        """
        self.snapshot = snapshot
        self.asked = asked
        self.parts = self._parts()
        self._keys = [key for key in self.parts[0]["cell_keys"].split(", ") if key]
        self._is_summed = "usage_date" in self._keys
        self._check_names()
        self.period = self._period(overview)
        self.value, self._decimals = self._read_value()

    def _parts(self) -> list[Row]:
        asked = self.asked
        rows = self.snapshot.rows(PARTS.sql, PARTS.marts, {"mart": asked.mart})
        parts = [row for row in rows if row["figure"] == asked.figure]
        if parts:
            return parts
        if rows:
            names = ", ".join(sorted({row["figure"] for row in rows}))
            raise NotFound(
                f"{asked.mart} has no explained figure '{shown(asked.figure)}': it has {names}."
            )
        known = self.snapshot.rows(EXPLAINED.sql, EXPLAINED.marts, {})
        names = ", ".join(sorted({row["mart"] for row in known}))
        raise NotFound(f"No figures of '{shown(asked.mart)}' are explained, but of {names}.")

    def _check_names(self) -> None:
        asked, mart = self.asked, self.asked.mart
        allowed = [NAMES[key] for key in self._keys] + ["month"] * self._is_summed
        for name in NAMES.values():
            if getattr(asked, name) is not None and name not in allowed:
                raise BadRequest(
                    f"A cell of {mart} is not named by {name}, but by"
                    f" {', '.join(allowed) or 'nothing'}: leave {name} out."
                )
        if self._is_summed:
            if (asked.month is None) == (asked.day is None):
                raise BadRequest(f"Name a day or a month of {mart}.")
        else:
            for key in self._keys:
                if getattr(asked, NAMES[key]) is None:
                    raise BadRequest(f"Name the {NAMES[key]} of the cell of {mart}.")
        if asked.part > len(self.parts):
            raise NotFound(
                f"There is no part {asked.part} of {asked.figure}: there are {len(self.parts)}."
            )

    def _period(self, overview: Row) -> Period:
        month, day = self.asked.month, self.asked.day
        today = overview["as_of"].date()  # in the reporting timezone
        period = self.parts[0]["period"]
        if month is not None and period != "same_days_prior_month":
            return Period(month, _next_month(month))
        if day is not None:
            return Period(day, day + timedelta(1))
        match period:
            case "today":
                return Period(today, today + timedelta(1))
            case "this_month":
                return Period(today.replace(day=1), _next_month(today.replace(day=1)))
            case "last_7_days":
                more = "row_at > %(as_of)s::timestamptz - interval '168 hours'"
                return Period(today - timedelta(8), today + timedelta(2), more)
            case "same_days_prior_month":
                assert month is not None
                last = min(_next_month(month) - timedelta(1), today)
                prior = (month - timedelta(1)).replace(day=1)
                return Period(prior, month, f"extract(day from row_date) <= {last.day}")
        return Period(None, None)

    def _read_value(self) -> tuple[Any, int | None]:
        asked = self.asked
        assert IDENTIFIER.fullmatch(asked.mart)
        assert IDENTIFIER.fullmatch(asked.figure)
        conditions = [
            f"{key} = %({NAMES[key]})s"
            for key in self._keys
            if getattr(asked, NAMES[key]) is not None
        ]
        if self._is_summed and asked.month is not None:
            conditions.append("usage_date >= %(first)s and usage_date < %(end)s")
        aggregate = "sum" if self._is_summed else "min"
        (row,) = self.snapshot.rows(
            f"select count(*) as cells, {aggregate}({asked.figure}) as value,"
            f" (select case when atttypmod > 4 then (atttypmod - 4) & 2047 end from pg_attribute"
            f" where attrelid = '{{schema}}.{asked.mart}'::regclass and attname = %(figure)s)"
            f" as decimals from {{schema}}.{asked.mart}"
            f" where {' and '.join(conditions) or 'true'}",
            (asked.mart,),
            self._parameters(),
        )
        if not row["cells"]:
            raise NotFound(self._nothing_there())
        return row["value"], row["decimals"]

    def _nothing_there(self) -> str:
        asked, key = self.asked, self._keys[0]
        names = [f"{name} {shown(text)}" for name, text in asked.names]
        (ends,) = self.snapshot.rows(
            f"select min({key}) as first, max({key}) as last from {{schema}}.{asked.mart}",
            (asked.mart,),
            {},
        )
        there = f"it has {ends['first']} to {ends['last']}" if ends["first"] else "it is empty"
        if "provider" in self._keys and ends["first"]:
            known = self.snapshot.rows(
                f"select distinct provider from {{schema}}.{asked.mart} order by 1 limit 20",
                (asked.mart,),
                {},
            )
            there += f", with the providers {', '.join(row['provider'] for row in known)}"
        return f"{asked.mart} has no row of {', '.join(names)}: {there}."

    def _parameters(self) -> Row:
        return {**vars(self.asked), "first": self.period.first, "end": self.period.end}

    def parameters(self, part: Row, as_of: Any, **more: Any) -> Row:
        """Of the query of a part's rows."""
        return {
            **self._parameters(),
            **{"measure": part["measure"], "side": part["side"], "factor": part["factor"]},
            **{"percentile": part["percentile"], "as_of": as_of, **more},
        }

    def rows_of(self, part: Row) -> str:
        """The query of the rows that count in a part, the part's factor included.

        By time as well as by day, for the index on the time gives them in their order.
        """
        conditions = ["measure = %(measure)s", self.period.more]
        if self.period.first is not None:
            conditions.append("row_date >= %(first)s and row_date < %(end)s")
            if part["row_source"] in ("generations", "refunds"):
                conditions.append(
                    "row_at >= %(first)s::timestamp at time zone 'UTC' - interval '2 days'"
                    " and row_at < %(end)s::timestamp at time zone 'UTC' + interval '2 days'"
                )
        for key in ("provider", "enhancement_type", "user_id"):
            is_wider = part["is_of_all_providers"] and key == "provider"
            if getattr(self.asked, NAMES[key]) is not None and not is_wider:
                conditions.append(f"{key} = %({NAMES[key]})s")
        found = f"from ({ROWS.sql}) as figure_rows where {' and '.join(conditions)}"
        if part["is_by_user"]:
            return f"""
                select
                    %(side)s as side, %(measure)s as measure, 'user' as row_kind,
                    user_id as row_id, null::text as generation_id, min(row_at) as row_at,
                    null::bigint as place, %(factor)s as contributes
                {found}
                group by user_id
            """
        if part["percentile"] is not None:
            # What is nearest to the place counts by how near it is; all else not at all.
            return f"""
                select
                    %(side)s as side, %(measure)s as measure, row_kind, row_id, generation_id,
                    row_at, place, rows,
                    contributes * greatest(0, 1 - abs(%(percentile)s * (rows - 1) + 1 - place))
                        as contributes
                from (
                    select
                        *, count(*) over () as rows,
                        row_number() over (
                            order by contributes, row_at, row_id collate "C"
                        ) as place
                    {found}
                ) as ordered
            """
        return f"""
            select
                %(side)s as side, %(measure)s as measure, row_kind, row_id, generation_id, row_at,
                null::bigint as place, %(factor)s * contributes as contributes
            {found}
        """

    def answer(self, parts: Sequence[Part]) -> Decimal | None:
        """The figure that the parts give, rounded as the mart rounds it."""
        sums = {
            side: [part.total for part in parts if part.row["side"] == side]
            for side in ("value", "divisor")
        }
        value = _sum(sums["value"])
        if not sums["divisor"]:
            if parts[0].row["percentile"] is not None and not parts[0].rows:
                return None
            return value if self._decimals is None else _rounded(value, self._decimals)
        divisor = _sum(sums["divisor"])
        answer = _rounded(EXACT.divide(value, divisor), 6) if divisor else None
        return answer if answer is not None and abs(answer) < 10**12 else None


def _sum(values: Iterable[Decimal]) -> Decimal:
    return functools.reduce(EXACT.add, values, Decimal(0))


def _rounded(value: Decimal, digits: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-digits), context=EXACT)


def _next_month(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def total(snapshot: Snapshot, cell: Cell, part: Row, as_of: Any) -> Part:
    """How many rows count in a part, and what they add up to."""
    (found,) = snapshot.rows(
        "select count(*) as rows, coalesce(sum(contributes), 0) as total"
        f" from ({cell.rows_of(part)}) as rows_of_part",
        ROWS.marts,
        cell.parameters(part, as_of),
    )
    return Part(part, found["rows"], found["total"])


def read(snapshot: Snapshot, asked: Asked, overview: Row) -> Explanation:
    """Read everything that one explanation shows.

    Raises:
        Problem: there is no such cell or page, or a mart is missing or closed.
    """
    snapshot.use_timezone(overview["zone"] or "UTC")
    (overview,) = snapshot.rows(queries.OVERVIEW.sql, queries.OVERVIEW.marts, {})
    cell = Cell(snapshot, asked, overview)
    as_of = overview["as_of"]
    listed = cell.parts[asked.part - 1]
    rows = _page(snapshot, cell, listed, as_of, asked.page)
    if listed["percentile"] is None:
        parts = [total(snapshot, cell, part, as_of) for part in cell.parts]
    else:
        # A month's rows are put in order once: those that count are on the first page.
        first = rows if asked.page == 1 else _page(snapshot, cell, listed, as_of, 1)
        count = first[0]["rows"] if first else 0
        parts = [Part(listed, count, _sum(row["contributes"] for row in first))]
    explanation = Explanation(
        asked,
        cell.parts[0]["rule"],
        cell.value,
        cell.answer(parts),
        parts,
        parts[asked.part - 1],
        list(_lines(snapshot, cell, rows)),
        as_of,
        overview["zone"] or "UTC",
    )
    if asked.page > explanation.pages:
        raise NotFound(
            f"There is no page {asked.page} of these rows: there are {explanation.pages}."
        )
    return explanation


def _page(snapshot: Snapshot, cell: Cell, part: Row, as_of: Any, page: int) -> list[Row]:
    """Some rows of a part: by time, or those of a percentile that count before all in order."""
    order = 'row_at, row_id collate "C"' if part["percentile"] is None else "contributes = 0, place"
    return snapshot.rows(
        f"select * from ({cell.rows_of(part)}) as rows_of_part order by {order}"
        " limit %(limit)s offset %(offset)s",
        ROWS.marts,
        cell.parameters(part, as_of, limit=ROWS_SHOWN, offset=ROWS_SHOWN * (page - 1)),
    )


def _lines(snapshot: Snapshot, cell: Cell, rows: list[Row]) -> Iterator[Line]:
    generations = [row["generation_id"] for row in rows if row["generation_id"]]
    users = [row["row_id"] for row in rows if row["row_kind"] == "user"]
    behind: dict[str, list[str]] = {}
    if generations:
        for row in snapshot.rows(BEHIND.sql, BEHIND.marts, {"ids": generations}):
            behind.setdefault(row["generation_id"], []).append(_behind(row))
    is_of_balances = cell.parts[0]["row_source"] == "balances"
    if users and is_of_balances:
        for row in snapshot.rows(BALANCES.sql, BALANCES.marts, {"ids": users}):
            behind.setdefault(row["user_id"], []).append(
                f"The user's ledger sums to {_text(row['ledger_balance'])} credits, the app has"
                f" {_text(row['app_balance'])}."
            )
    period = cell.period
    for row in rows:
        href = None
        if row["row_kind"] == "user" and period.first is not None and period.first.day == 1:
            of_user = Asked("monthly_user_usage", "generations", period.first, user=row["row_id"])
            href = of_user.address()
        yield Line(row, behind.get(row["generation_id"] or row["row_id"], []), href)


def _behind(row: Row) -> str:
    units = {
        "credits_used": "credits used",
        "credits_refunded": "credits refunded",
        "vendor_cost_usd": "USD of vendor cost",
        "list_cost_usd": "USD of list cost",
    }
    amounts = [f"{_text(row[name])} {unit}" for name, unit in units.items() if row[name]]
    added = f": {', '.join(amounts)}" if amounts else ""
    return f"{row['app_table']} {row['app_row_id']}{added}. {row['rule']}"


def _text(value: Decimal | None) -> str:
    return "N/A" if value is None else f"{value:f}"


def file_rows(snapshot: Snapshot, asked: Asked, overview: Row) -> Iterator[Row]:
    """All rows of all parts of a cell, for its file."""
    snapshot.use_timezone(overview["zone"] or "UTC")
    (overview,) = snapshot.rows(queries.OVERVIEW.sql, queries.OVERVIEW.marts, {})
    cell = Cell(snapshot, asked, overview)
    for part in cell.parts:
        yield from snapshot.stream(
            cell.rows_of(part), ROWS.marts, cell.parameters(part, overview["as_of"])
        )
