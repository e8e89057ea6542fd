"""The workbook: a sheet that says what it is, and a sheet for each mart."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from export.files import Rows
from export.marts import INTEGERS, Part
from reader.cells import plain

ROWS_OF_A_SHEET = 1_048_576
LETTERS_OF_A_CELL = 32_767


class Workbook:
    """An .xlsx file. It is the same to the byte for the same rows, whenever it is written."""

    def __init__(self, path: Path, title: str, as_of: datetime):
        self._book = xlsxwriter.Workbook(
            path,
            {
                "constant_memory": True,
                "tmpdir": str(path.parent),
                "strings_to_formulas": False,
                "strings_to_numbers": False,
                "strings_to_urls": False,
            },
        )
        self._book.use_zip64()
        created = as_of.astimezone(UTC).replace(tzinfo=None)
        self._book.set_properties({"title": title, "author": "paygen", "created": created})
        self._formats: dict[tuple[str, bool], Any] = {}
        self._about = self._book.add_worksheet("about")

    def format(self, number_format: str = "", is_bold: bool = False) -> Any:
        """A format of the workbook, made once."""
        key = (number_format, is_bold)
        if key not in self._formats:
            properties: dict[str, Any] = {"bold": is_bold}
            if number_format:
                properties["num_format"] = number_format
            self._formats[key] = self._book.add_format(properties)
        return self._formats[key]

    def sheet(self, part: Part) -> "Sheet":
        """A new sheet for a mart."""
        return Sheet(self, self._book.add_worksheet(part.mart.name), part)

    def close(self, about: Iterable[tuple[Any, ...]]) -> None:
        """Fill the first sheet, and write the file."""
        self._about.set_column(0, 0, 34)
        self._about.set_column(1, 3, 24)
        for number, row in enumerate(about):
            for place, value in enumerate(row):
                is_bold = place == 0 or number == 0
                if isinstance(value, int):
                    self._about.write_number(number, place, value, self.format("#,##0"))
                else:
                    self._about.write_string(number, place, text(value), self.format("", is_bold))
        self._book.close()


class Sheet:
    """A header that stays in view, the rows, and a last row with the totals."""

    def __init__(self, book: Workbook, sheet: Worksheet, part: Part):
        self._book, self._sheet, self._part = book, sheet, part
        self._next = 1
        self._totals = [Decimal(0)] * len(part.columns)
        self._formats = [_number_format(column.name, column.type) for column in part.columns]
        # Header and totals need a row each.
        self._fits = part.rows <= ROWS_OF_A_SHEET - 2
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(part.columns):
            width = max(len(column.name), column.length, 10)
            sheet.set_column(place, place, min(width + 2, 60))
        for place, column in enumerate(part.columns):
            sheet.write_string(0, place, column.name, book.format("", True))

    def write(self, rows: Rows) -> None:
        """Add rows, numbers as numbers."""
        for row in rows:
            for place, value in enumerate(row):
                if value is not None and self._part.columns[place].is_summed:
                    self._totals[place] += value
                if self._fits and value is not None:
                    self._write(place, value)
            self._next += self._fits

    def close(self) -> None:
        """Add the totals, or say where the rows are."""
        if not self._fits:
            said = f"{self._part.rows:,} rows are more than a sheet holds: see the CSV file."
            self._sheet.write_string(1, 0, said)
            self._next = 2
        bold = self._book.format("", True)
        self._sheet.write_string(self._next, 0, "Total", bold)
        for place, column in enumerate(self._part.columns):
            if not column.is_summed:
                continue
            number = self._book.format(self._formats[place], True)
            total, letter = float(self._totals[place]), xl_col_to_name(place)
            if self._fits and self._part.rows:
                formula = f"=SUM({letter}2:{letter}{self._next})"
                self._sheet.write_formula(self._next, place, formula, number, total)
            else:
                self._sheet.write_number(self._next, place, total, number)

    def _write(self, place: int, value: Any) -> None:
        number = self._book.format(self._formats[place])
        if isinstance(value, bool):
            self._sheet.write_boolean(self._next, place, value)
        elif isinstance(value, int | float | Decimal):
            self._sheet.write_number(self._next, place, value, number)
        elif isinstance(value, datetime):
            moment = value.astimezone(UTC).replace(tzinfo=None)
            self._sheet.write_datetime(self._next, place, moment, number)
        elif isinstance(value, date):
            self._sheet.write_datetime(self._next, place, value, number)
        else:
            self._sheet.write_string(self._next, place, text(value))


def text(value: Any) -> str:
    """Text that no spreadsheet computes, as long as a cell takes."""
    written = plain(str(value))
    if len(written) <= LETTERS_OF_A_CELL:
        return written
    return written[: LETTERS_OF_A_CELL - 1] + "…"


def _number_format(name: str, kind: str) -> str:
    if kind == "date":
        return "yyyy-mm-dd"
    if kind == "timestamp with time zone":
        return "yyyy-mm-dd hh:mm:ss"
    if kind in INTEGERS:
        return "#,##0"
    if name.endswith("_rate") or name.startswith("share_"):
        return "0.00%"
    return "#,##0.00####" if name.endswith("_usd") else ""
