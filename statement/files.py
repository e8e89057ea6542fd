"""Read the CSV files of a statement; whatever cannot be read is one sentence with file and line."""

import csv
import gzip
import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from uuid import UUID

import yaml

from reader.problems import Problem, shown

SOURCES = Path(__file__).resolve().parents[1] / "models" / "staging" / "app" / "_app__sources.yml"
NUMBER = re.compile(r"[+-]?\$?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?")
DOLLARS = ("USD", "US$", "$")
TOTAL = ("total", "totals", "grand total", "sum")
# A call costs cents, or a few dollars: a whole number beyond this is one of millionths.
MOST_USD = 1000


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a statement, as the file has it: nothing but its form is judged here."""

    number: int
    line_id: str | None
    prediction_id: str | None
    model: str | None
    state: str | None
    price_usd: Decimal | None
    list_price_usd: Decimal | None
    billed_at: datetime | None


@dataclass(frozen=True)
class Statement:
    """The lines of one file.

    Attributes:
        checksum: SHA-256 of the content, uncompressed.
        total_usd: what the file itself says that its lines add up to, if it does.
    """

    name: str
    checksum: str
    lines: list[Line]
    total_usd: Decimal | None


def find(place: Path) -> list[Path]:
    """The files of a folder, by name, or the one file that is named.

    Raises:
        Problem: there is none.
    """
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise Problem(f"There is no folder {place}: name the one with the vendor's CSV files.")
    found = sorted(path for path in place.iterdir() if path.name.endswith((".csv", ".csv.gz")))
    if not found:
        raise Problem(f"{place} has no .csv and no .csv.gz file: nothing was loaded.")
    return found


def read(path: Path) -> Statement:
    """The lines of one file, columns by header.

    Raises:
        Problem: it cannot be read, or a line of it cannot be.
    """
    try:
        content = path.read_bytes()
        if path.name.endswith(".gz"):
            content = gzip.decompress(content)
        text = content.decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise Problem(f"{path.name} cannot be read ({error}): nothing was loaded.") from error
    lines: list[Line] = []
    total = None
    try:
        rows = csv.reader(io.StringIO(text, newline=""), strict=True)
        header = next(rows, [])
        names = _columns(path.name, header)
        for cells in rows:
            if not any(cell.strip() for cell in cells):
                continue
            place = f"{path.name}, line {rows.line_num}"
            if len(cells) != len(header):
                raise Problem(
                    f"{place} has {len(cells)} cells and the header {len(header)}:"
                    " nothing was loaded."
                )
            row = {names[at]: cell.strip() for at, cell in enumerate(cells) if at in names}
            if _is_total(cells, row):
                total = _number(place, "total", row["price_usd"])
                continue
            lines.append(_line(place, rows.line_num, row))
    except csv.Error as error:
        raise Problem(f"{path.name} is no CSV file ({error}): nothing was loaded.") from error
    if "state" not in names.values() and len({price > 0 for price in _prices(lines)}) > 1:
        raise Problem(
            f"{path.name} has no column of states and prices of both signs: add a column `state`"
            " that says deduct or refund. Nothing was loaded."
        )
    return Statement(path.name, hashlib.sha256(content).hexdigest(), lines, total)


@cache
def alternatives() -> Mapping[str, str]:
    """By each name that a column may have, ours: those of the source `vendor_billing`."""
    tables = yaml.safe_load(SOURCES.read_text())["sources"][0]["tables"]
    [columns] = (table["columns"] for table in tables if table["name"] == "vendor_billing")
    return {
        name: column["name"]
        for column in columns
        for name in (
            column["name"],
            *column.get("config", {}).get("meta", {}).get("alternatives", []),
        )
    }


def _columns(file: str, header: list[str]) -> dict[int, str]:
    known = alternatives()
    names = [re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_") for name in header]
    found: dict[int, str] = {}
    for ours in dict.fromkeys(known.values()):
        # Our own name first, then the alternatives in their order.
        for name in (name for name, column in known.items() if column == ours):
            if name in names:
                found[names.index(name)] = ours
                break
    missing = [
        " or ".join(name for name, column in known.items() if column == ours)
        for ours in ("prediction_id", "price_usd", "billed_at")
        if ours not in found.values()
    ]
    if missing:
        raise Problem(
            f"{file} has no column {', and none '.join(missing)}; it has"
            f" {shown(', '.join(header), 200)}. Nothing was loaded."
        )
    return found


def _is_total(cells: list[str], row: Mapping[str, str]) -> bool:
    words = [cell.strip().lower().rstrip(":") for cell in cells if cell.strip()]
    return words[0] in TOTAL and not row.get("billed_at")


def _line(place: str, number: int, row: Mapping[str, str]) -> Line:
    currency = row.get("currency", "").upper()
    if currency and currency not in DOLLARS:
        raise Problem(
            f"{place}: the price is in {shown(currency)}, and costs are in US dollars: load a"
            " statement in USD. Nothing was loaded."
        )
    price = _number(place, "price", row["price_usd"])
    if price is not None and abs(price) > MOST_USD and price == int(price):
        raise Problem(
            f"{place}: {price} US dollars for one call: if the file counts in millionths of a"
            " dollar, divide its prices by 1000000. Nothing was loaded."
        )
    return Line(
        number,
        _identity(row.get("line_id", "")),
        _identity(row["prediction_id"]),
        row.get("model") or None,
        row.get("state", "").lower() or None,
        price,
        _number(place, "list price", row.get("list_price_usd", "")),
        _moment(place, row["billed_at"]),
    )


def _identity(text: str) -> str | None:
    """An id; all spellings of a UUID are one."""
    text = text.strip().replace("\x00", "")
    try:
        return str(UUID(text)) if len(text) >= 32 else text or None
    except ValueError:
        return text


def _number(place: str, what: str, text: str) -> Decimal | None:
    text = text.strip()
    if not text:
        return None
    if not NUMBER.fullmatch(text):
        raise Problem(
            f"{place}: the {what} is {shown(text)}, which is no number of US dollars such as 0.038."
            " Nothing was loaded."
        )
    return Decimal(text.replace("$", ""))


def _moment(place: str, text: str) -> datetime | None:
    text = text.strip()
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.removesuffix(" UTC"))
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Problem(
            f"{place}: the time is {shown(text)}, which is none such as 2024-05-01T12:00:00Z."
            " Nothing was loaded."
        ) from error


def _prices(lines: list[Line]) -> Iterator[Decimal]:
    return (line.price_usd for line in lines if line.price_usd)
