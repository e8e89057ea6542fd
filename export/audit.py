"""`python -m export.audit 2026-10`: a month's audit pack, a workbook from its totals to its rows.

Each total stands beside the sum of its rows in another sheet, as a formula, and their difference.
"""

import argparse
import os
import shlex
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

import xlsxwriter
import yaml
from xlsxwriter.exceptions import XlsxWriterException
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from export import marts
from export.month import OVERVIEW, PROJECT, QUALITY
from export.workbook import ROWS_OF_A_SHEET, text
from reader.database import Database, Row, Snapshot
from reader.libpq import use_demo_by_default
from reader.months import read_month
from reader.options import add_schema
from reader.problems import BUILD, ENDINGS, Problem, told

OF_MONTH = "{0} >= %(month)s::date and {0} < (%(month)s::date + interval '1 month')::date"
# By sheet, the marts it reads and its rows. Which columns are summed, `TOTALS` says.
SHEETS = {
    "generations": (
        ("fct_generations",),
        f"""
        select
            generation_id, user_id, provider, enhancement_type, status, created_at,
            1 as generations,
            (status = 'completed')::integer as completed_generations,
            (status = 'failed')::integer as failed_generations,
            (status = 'cancelled')::integer as cancelled_generations,
            (status in ('pending', 'processing'))::integer as in_flight_generations,
            credits_used, vendor_cost_usd, list_cost_usd,
            (vendor_cost_usd is null)::integer as generations_without_cost
        from {{schema}}.fct_generations
        where {OF_MONTH.format("created_date")}
        order by created_at, generation_id collate "C"
        """,
    ),
    "app_rows": (
        ("generation_rows", "fct_generations"),
        f"""
        select
            behind.generation_id, behind.app_table, behind.app_row_id, behind.created_at,
            behind.credits_used, behind.vendor_cost_usd, behind.list_cost_usd, behind.rule
        from (
            select generation_id, created_at
            from {{schema}}.fct_generations
            where {OF_MONTH.format("created_date")}
            order by created_at, generation_id collate "C"
        ) as counted
        cross join lateral (
            select * from {{schema}}.generation_rows as found
            where found.generation_id = counted.generation_id and found.credits_refunded = 0
            order by found.created_at, found.app_row_id collate "C"
            offset 0
        ) as behind
        """,
    ),
    "refunds": (
        ("figure_rows",),
        f"""
        select
            row_id as transaction_id, user_id, generation_id, row_at as created_at,
            1 as refunds_issued, coalesce(credits, 0) as credits_refunded
        from {{schema}}.figure_rows
        left join (
            select row_id, contributes as credits
            from {{schema}}.figure_rows
            where measure = 'credits_refunded' and {OF_MONTH.format("row_date")}
        ) as amounts using (row_id)
        where measure = 'refunds_issued' and {OF_MONTH.format("row_date")}
        order by row_at, row_id collate "C"
        """,
    ),
    "users": (
        ("monthly_user_usage",),
        """
        select user_id, generations, 1 as active_users
        from {schema}.monthly_user_usage
        where month_start = %(month)s
        order by user_id collate "C"
        """,
    ),
    "credit_lots": (
        ("credit_lots_by_month",),
        """
        with lots as (
            select *, month_start = date_trunc('month', bought_date)::date as is_new
            from {schema}.credit_lots_by_month
            where month_start in (%(month)s, (%(month)s::date - interval '1 month')::date)
        )
        select
            now.user_id, now.bought_date, now.credits_bought,
            coalesce(before.credits_left, 0) as credits_left_before,
            case when now.is_new then now.credits_bought else 0 end as credits_sold,
            case when now.is_new then now.credits_bought else before.credits_left end
                - now.credits_left as sold_credits_used,
            now.credits_left,
            case when now.is_broken then now.credits_left else 0 end
                - case when before.is_broken then before.credits_left else 0 end
                as sold_credits_broken,
            case when now.is_broken then 0 else now.credits_left end as credits_deferred
        from lots as now
        left join lots as before
            on
                now.user_id is not distinct from before.user_id
                and now.bought_date = before.bought_date
                and before.month_start < now.month_start
        where
            now.month_start = %(month)s
            and (now.is_new or now.credits_left <> 0 or before.credits_left <> 0)
        order by now.bought_date, now.user_id collate "C"
        """,
    ),
    "refunds_owed": (
        ("credit_audit_findings", "fct_generations"),
        """
        select
            facts.generation_id, facts.user_id, facts.created_at, findings.finding_type,
            facts.credits_used, facts.credits_refunded, findings.credits_at_stake as credits_owed
        from {schema}.credit_audit_findings as findings
        inner join {schema}.fct_generations as facts using (generation_id)
        where
            findings.finding_type in ('failed_not_refunded', 'under_refund')
            and facts.status = 'failed'
            and facts.created_date < (%(month)s::date + interval '1 month')::date
        order by facts.created_at, facts.generation_id collate "C"
        """,
    ),
}
# Mart, figure, and the sheet whose column of the same name adds up to it.
TOTALS = (
    ("monthly_usage", "generations", "generations"),
    ("monthly_usage", "completed_generations", "generations"),
    ("monthly_usage", "failed_generations", "generations"),
    ("monthly_usage", "cancelled_generations", "generations"),
    ("monthly_usage", "in_flight_generations", "generations"),
    ("monthly_usage", "active_users", "users"),
    ("monthly_usage", "credits_used", "generations"),
    ("monthly_usage", "credits_used", "app_rows"),
    ("monthly_usage", "credits_refunded", "refunds"),
    ("monthly_success_rate", "refunds_issued", "refunds"),
    ("monthly_cost", "vendor_cost_usd", "generations"),
    ("monthly_cost", "vendor_cost_usd", "app_rows"),
    ("monthly_cost", "list_cost_usd", "generations"),
    ("monthly_cost", "list_cost_usd", "app_rows"),
    ("monthly_cost", "generations_without_cost", "generations"),
    ("monthly_finance", "credits_sold", "credit_lots"),
    ("monthly_finance", "sold_credits_used", "credit_lots"),
    ("monthly_finance", "sold_credits_broken", "credit_lots"),
    ("monthly_finance", "credits_deferred", "credit_lots"),
    ("monthly_finance", "credits_owed", "refunds_owed"),
)

# In US dollars, what each of these credits is worth at the price of a credit.
WORTHS = {
    "billings_usd": "credits_sold",
    "usage_revenue_usd": "sold_credits_used",
    "breakage_revenue_usd": "sold_credits_broken",
    "deferred_revenue_usd": "credits_deferred",
    "refunds_payable_usd": "credits_owed",
}
MARTS = ("monthly_usage", "monthly_cost", "monthly_success_rate", "monthly_finance")
RULES = """
select mart, figure, rule, side, measure, factor, measure_rule
from {schema}.figure_parts
where mart in ('monthly_usage', 'monthly_cost', 'monthly_success_rate')
order by mart, figure, side desc, measure
"""


@dataclass
class Sheet:
    """The rows of one query, on as many sheets as they need, and the sums of its columns."""

    book: xlsxwriter.Workbook
    name: str
    parts: list[tuple[Worksheet, str, int]] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    sums: dict[str, Decimal] = field(default_factory=dict)
    rows: int = 0

    def write(self, rows: Iterator[Row]) -> None:
        """Write all rows, a header first."""
        moments = self.book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        days = self.book.add_format({"num_format": "yyyy-mm-dd"})
        for row in rows:
            if self.rows % (ROWS_OF_A_SHEET - 1) == 0:
                self._add(list(row))
            sheet, name, count = self.parts[-1]
            self.parts[-1] = sheet, name, count + 1
            self.rows += 1
            for place, (column, value) in enumerate(row.items()):
                if isinstance(value, int | Decimal):
                    self.sums[column] = self.sums.get(column, Decimal(0)) + value
                    sheet.write_number(count + 1, place, value)
                elif isinstance(value, datetime):
                    moment = value.astimezone(UTC).replace(tzinfo=None)
                    sheet.write_datetime(count + 1, place, moment, moments)
                elif isinstance(value, date):
                    sheet.write_datetime(count + 1, place, value, days)
                elif value is not None:
                    sheet.write_string(count + 1, place, text(value))
        if not self.parts:
            self._add([])
            self.parts[0][0].write_string(1, 0, "no row counts here")

    def _add(self, columns: list[str]) -> None:
        name = self.name + (f"_{len(self.parts) + 1}" if self.parts else "")
        sheet = self.book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, max(0, len(columns) - 1), 20)
        bold = self.book.add_format({"bold": True})
        for place, column in enumerate(columns):
            sheet.write_string(0, place, column, bold)
        self.columns = self.columns or columns
        self.parts.append((sheet, name, 0))

    def total(self, column: str) -> Decimal:
        """What a column adds up to."""
        return self.sums.get(column, Decimal(0))

    def formula(self, column: str) -> str:
        """The same as a formula of a spreadsheet."""
        if column not in self.columns:
            return "0"
        letter = xl_col_to_name(self.columns.index(column))
        return "+".join(
            f"SUM({name}!{letter}2:{letter}{count + 1})" for _, name, count in self.parts
        )


def write(database: Database, month: date, path: Path) -> bool:
    """Write a month's workbook; answer whether every total is the sum of its rows.

    Args:
        database: where the marts are; all sheets are of one snapshot of them.
        month: its first day.
        path: of the file, which appears when all of it is written.

    Raises:
        Problem: no server, no marts, or no such month.
    """
    parameters = {"month": month}
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(suffix=".partial", prefix=f".{path.name}-", dir=path.parent)
    os.close(handle)
    try:
        with database.snapshot() as snapshot:
            snapshot.lock(["dashboard_overview", "fct_generations", *MARTS])
            marts.check_month(snapshot, parameters, f"{month:%Y-%m}")
            adds_up = _write_book(snapshot, parameters, Path(aside))
        Path(aside).replace(path)
    finally:
        Path(aside).unlink(missing_ok=True)
    return adds_up


def _write_book(snapshot: Snapshot, parameters: Row, path: Path) -> bool:
    (overview,) = snapshot.rows(OVERVIEW, ("dashboard_overview",), parameters)
    of_marts = {mart: _row_of(snapshot, mart, parameters) for mart in MARTS}
    options = {"constant_memory": True, "tmpdir": str(path.parent), "strings_to_formulas": False}
    book = xlsxwriter.Workbook(path, {**options, "strings_to_urls": False})
    created = overview["as_of"].astimezone(UTC).replace(tzinfo=None)
    book.set_properties({"title": f"Audit pack {parameters['month']:%Y-%m}", "created": created})
    book.use_zip64()
    about, totals = book.add_worksheet("about"), book.add_worksheet("totals")
    sheets = {}
    for name, (read, query) in SHEETS.items():
        sheets[name] = Sheet(book, name)
        sheets[name].write(snapshot.stream(query, read, parameters))
    rules = Sheet(book, "rules")
    rules.write(snapshot.stream(RULES, ("figure_parts",), {}))
    adds_up = _write_totals(book, totals, of_marts, sheets)
    quality = snapshot.rows(QUALITY, ("data_quality_status",), {})
    _write_about(book, about, parameters, overview, quality)
    book.close()
    return adds_up


def _row_of(snapshot: Snapshot, mart: str, parameters: Row) -> Row:
    rows = snapshot.rows(
        f"select * from {{schema}}.{mart} where month_start = %(month)s", (mart,), parameters
    )
    if not rows:
        raise Problem(f"{snapshot.schema}.{mart} has no row of the month: {BUILD}.")
    return rows[0]


def _write_totals(
    book: xlsxwriter.Workbook,
    sheet: Worksheet,
    of_marts: dict[str, Row],
    sheets: dict[str, Sheet],
) -> bool:
    bold = book.add_format({"bold": True})
    sheet.set_column(0, 1, 26)
    sheet.set_column(2, 5, 20)
    heads = ("mart", "figure", "in the mart", "its rows add up to", "difference", "rows in sheet")
    for place, head in enumerate(heads):
        sheet.write_string(0, place, head, bold)
    adds_up = True
    cells = {}
    number = 1
    for mart, figure, name in TOTALS:
        value = of_marts[mart][figure]
        total = round(sheets[name].total(figure), 6)
        cells.setdefault(figure, f"D{number + 1}")
        formula = f"=ROUND({sheets[name].formula(figure)}, 6)"
        adds_up &= _write_total(sheet, number, (mart, figure, value), formula, total, name)
        number += 1
    price = _settings()["credit_price_usd"]
    for figure, of in WORTHS.items():
        value = of_marts["monthly_finance"][figure]
        name = next(sheet for _, total, sheet in TOTALS if total == of)
        total = round(sheets[name].total(of) * Decimal(str(price)), 6)
        formula = f"=ROUND({cells[of]} * {price}, 6)"
        row = ("monthly_finance", figure, value)
        adds_up &= _write_total(sheet, number, row, formula, total, f"{of}, at {price} USD")
        number += 1
    return adds_up


def _write_total(
    sheet: Worksheet,
    number: int,
    row: tuple[str, str, Any],
    formula: str,
    total: Decimal,
    source: str,
) -> bool:
    mart, figure, value = row
    sheet.write_string(number, 0, mart)
    sheet.write_string(number, 1, figure)
    sheet.write_number(number, 2, value)
    sheet.write_formula(number, 3, formula, None, float(total))
    sheet.write_formula(number, 4, f"=C{number + 1}-D{number + 1}", None, float(value - total))
    sheet.write_string(number, 5, source)
    return bool(value == total)


def _write_about(
    book: xlsxwriter.Workbook,
    sheet: Worksheet,
    parameters: Row,
    overview: Row,
    quality: Sequence[Row],
) -> None:
    settings = _settings()
    as_of = overview["as_of"].astimezone(UTC)
    lines = [
        (f"Audit pack of {parameters['month']:%Y-%m}", ""),
        ("covers", "the whole month" if overview["is_complete"] else f"until {as_of.isoformat()}"),
        ("as of (UTC)", as_of.isoformat()),
        ("timezone of days and months", overview["reporting_timezone"]),
        *(
            (name, "none" if settings[name] is None else settings[name])
            for name in ("vendor_cost_basis", "credit_price_usd", "credit_breakage_months")
        ),
        ("paygen version", version("paygen")),
        ("how to follow a total", "totals: each is the sum of a column of another sheet."),
        ("", "generations: one row each; app_rows: the app's rows behind each, by generation_id."),
        ("", "credit_lots: each purchase, used oldest first. refunds_owed: what is still owed."),
        ("", "rules: how each figure is made, and which rows count in it."),
        *((f"trust in {row['figure']}", f"{row['status']} {row['findings']}") for row in quality),
    ]
    sheet.set_column(0, 0, 40)
    bold = book.add_format({"bold": True})
    for number, (name, value) in enumerate(lines):
        sheet.write_string(number, 0, name, bold)
        sheet.write_string(number, 1, text(str(value).strip()))


def _settings() -> dict[str, Any]:
    text_of_project = (PROJECT / "dbt_project.yml").read_text(encoding="utf-8")
    settings: dict[str, Any] = yaml.safe_load(text_of_project)["vars"]
    return settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the workbook; answer the exit code: 0, or 1 after a sentence."""
    options = _parser().parse_args(arguments)
    try:
        if options.month is None:
            raise Problem("Name the month: make audit MONTH=2026-10.")
        month = read_month(options.month)
        use_demo_by_default()
        path = options.to or Path("exports") / f"audit-{options.month}.xlsx"
        database = Database(options.schema, 1, "paygen audit", timeout="10min")
        adds_up = write(database, month, path)
    except (*ENDINGS, OSError, XlsxWriterException) as error:
        return told(error, "nothing was written")
    print(f"next: open {shlex.quote(str(path))}")
    if adds_up:
        print("Each total is the sum of its rows.")
    else:
        print(
            "A total is not the sum of its rows, see the sheet totals: run"
            " `dbt build --selector daily` and write the pack again."
        )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m export.audit",
        description="Write a month's audit pack: a workbook with each total beside the sum of its"
        " rows. Reads as a reader role, by libpq's variables, else the demo's marts.",
    )
    parser.add_argument("month", nargs="?", metavar="MONTH", help="YYYY-MM, as in 2026-10")
    parser.add_argument(
        "--to", type=Path, metavar="FILE", help="the workbook (exports/audit-MONTH.xlsx)"
    )
    add_schema(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
