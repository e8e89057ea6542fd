"""Write one month of the marts into a folder, all of it or nothing."""

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from export import focus, marts
from export.files import CsvFile, ParquetFile, Rows
from export.workbook import Workbook
from reader.database import Database, Row, Snapshot
from reader.folders import written_aside
from reader.problems import BUILD, Problem
from reader.progress import Tell

PROJECT = Path(__file__).resolve().parents[1]
MANIFEST = "manifest.json"
FOCUS = "focus_cost_and_usage.csv"
ROWS_AT_ONCE = 5000
OVERVIEW = """
select
    as_of,
    reporting_timezone,
    (%(month)s::date + interval '1 month')::date
    <= timezone(reporting_timezone, as_of)::date as is_complete
from {schema}.dashboard_overview
"""
# The month's last entry in the trail of closes, and what is no longer as it was reported.
CLOSE = """
select
    entries.*,
    (
        select count(distinct restatements.figure)
        from {schema}.monthly_restatements as restatements
        where restatements.month_start = entries.month_start and restatements.is_all_providers
    ) as restated_figures
from {schema}.month_closes as entries
where entries.month_start = %(month)s::date
order by entries.entry_number desc
limit 1
"""

CLOSES = ("month_closes", "monthly_restatements")
SIGNED = ("state", "entry_number", "signed_by", "recorded_at")

QUALITY = """
select figure, status, findings
from {schema}.data_quality_status
order by figure
"""


def write(database: Database, month: date, folder: Path, tell: Tell) -> dict[str, Any]:
    """Write the month's files, and answer what the manifest says.

    Args:
        database: where the marts are; all files are of one snapshot of them.
        month: its first day.
        folder: made when missing; replaced when it holds an export of the month.
        tell: is told of progress.

    Raises:
        Problem: no server, no marts, no such month, or the folder holds anything else.
    """
    folder = folder.resolve()
    name = f"{month:%Y-%m}"
    _check(folder, name)
    with written_aside(folder) as aside, database.snapshot() as snapshot:
        here = _lock(snapshot)
        has_closes = all(map(snapshot.lock_if_there, CLOSES))
        parameters = {"month": month}
        marts.check_month(snapshot, parameters, name)
        manifest = _about(snapshot, parameters, name)
        manifest["close"] = _close(snapshot, parameters) if has_closes else {"state": "unknown"}
        manifest["missing_marts"] = [each.name for each in marts.MARTS if each not in here]
        manifest["marts_behind"] = [
            each.name for each in here if each.foots and marts.is_behind(snapshot, each, parameters)
        ]
        _write_all(snapshot, parameters, aside, manifest, here, tell)
    return manifest


def _lock(snapshot: Snapshot) -> list[marts.Mart]:
    """Keep the marts as they are until the end, and answer which there are."""
    snapshot.lock(
        [
            "dashboard_overview",
            "data_quality_status",
            *(mart.name for mart in marts.MARTS if not mart.is_nightly),
        ]
    )
    return [
        mart for mart in marts.MARTS if not mart.is_nightly or snapshot.lock_if_there(mart.name)
    ]


def workbook_name(month: str) -> str:
    """The name of a month's workbook."""
    return f"paygen-{month}.xlsx"


def _check(folder: Path, month: str) -> None:
    """Make sure that nothing but an export of the same month is replaced."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise Problem(f"{folder} is no folder: name another with TO=.")
    here = {path.name for path in folder.iterdir()}
    if not here:
        return
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        other, ours = manifest["month"], {file["name"] for file in manifest["files"]}
    except (OSError, ValueError, LookupError, TypeError):
        raise Problem(f"{folder} holds other files: name a new or empty folder with TO=.") from None
    if other != month:
        raise Problem(f"{folder} holds the export of {other}: name another folder with TO=.")
    if strange := sorted(here - ours - {MANIFEST}):
        raise Problem(
            f"{folder} also holds {strange[0]}, which no export wrote: move it, or name another"
            " folder with TO=."
        )


def _about(snapshot: Snapshot, parameters: Row, month: str) -> dict[str, Any]:
    found = snapshot.rows(OVERVIEW, ("dashboard_overview",), parameters)
    if not found:
        raise Problem(f"{snapshot.schema}.dashboard_overview is empty: {BUILD}.")
    overview = found[0]
    settings = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    parameters["zone"] = overview["reporting_timezone"]
    as_of = overview["as_of"].astimezone(UTC)
    return {
        "month": month,
        "is_complete": overview["is_complete"],
        "covers": "the whole month" if overview["is_complete"] else f"until {as_of.isoformat()}",
        "as_of": as_of,
        "timezone": overview["reporting_timezone"],
        "vendor_cost_basis": settings["vendor_cost_basis"],
        "paygen_version": version("paygen"),
        "focus_version": focus.VERSION,
        "data_quality": snapshot.rows(QUALITY, ("data_quality_status",), {}),
        "files": [],
    }


def _close(snapshot: Snapshot, parameters: Row) -> dict[str, Any]:
    """Whether the month is closed, by whom, and the digest that proves what was reported."""
    for entry in snapshot.rows(CLOSE, CLOSES, parameters):
        return {
            "state": "closed" if entry["is_current"] else "reopened",
            "entry_number": entry["entry_number"],
            "recorded_at": entry["recorded_at"].astimezone(UTC).isoformat(),
            "role": entry["role_name"],
            "signed_by": entry["signed_by"],
            "code_version": entry["code_version"],
            "digest": entry["digest"],
            "restated_figures": entry["restated_figures"],
        }
    return {"state": "open"}


def _write_all(
    snapshot: Snapshot,
    parameters: Row,
    folder: Path,
    manifest: dict[str, Any],
    here: Sequence[marts.Mart],
    tell: Tell,
) -> None:
    book_name = workbook_name(manifest["month"])
    book = Workbook(folder / book_name, f"paygen {manifest['month']}", manifest["as_of"])
    written = _write_marts(snapshot, parameters, folder, manifest, here, book, tell)
    charges = _write_focus(snapshot, parameters, folder, tell)
    written.append((FOCUS, "daily_usage", charges))
    sheets = sum(rows for name, _, rows in written if name.endswith(".parquet"))
    book.close(_first_sheet(manifest, written, book_name))
    manifest["as_of"] = manifest["as_of"].isoformat()
    manifest["files"] = [
        _described(folder / name, mart, rows)
        for name, mart, rows in [*written, (book_name, "all", sheets)]
    ]
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def _write_marts(
    snapshot: Snapshot,
    parameters: Row,
    folder: Path,
    manifest: dict[str, Any],
    here: Sequence[marts.Mart],
    book: Workbook,
    tell: Tell,
) -> list[tuple[str, str, int]]:
    """The files of each mart and its sheet, in one pass over its rows."""
    about = {name: str(manifest[name]) for name in ("month", "covers", "as_of", "timezone")}
    written = []
    for mart in here:
        part = marts.describe(snapshot, mart, parameters)
        names = f"{mart.name}.csv", f"{mart.name}.parquet"
        outputs = [
            ParquetFile(folder / names[1], mart.name, part.columns, about),
            CsvFile(folder / names[0], [column.name for column in part.columns]),
            book.sheet(part),
        ]
        count = 0
        tell(mart.name, count, part.rows)
        for rows in _batches(marts.read(snapshot, part, parameters)):
            for output in outputs:
                output.write(rows)
            count += len(rows)
            tell(mart.name, count, part.rows)
        for output in outputs:
            output.close()
        written += [(name, mart.name, count) for name in names]
    return written


def _write_focus(snapshot: Snapshot, parameters: Row, folder: Path, tell: Tell) -> int:
    file, count = CsvFile(folder / FOCUS, focus.COLUMNS), 0
    for rows in _batches(focus.read(snapshot, parameters)):
        file.write(rows)
        count += len(rows)
        tell("FOCUS", count, count)
    file.close()
    return count


def _first_sheet(
    manifest: dict[str, Any], written: Iterable[tuple[str, str, int]], book_name: str
) -> Iterator[tuple[Any, ...]]:
    yield (f"paygen: the marts of {manifest['month']}",)
    yield "month", manifest["month"]
    yield "covers", manifest["covers"]
    yield "as of (UTC)", manifest["as_of"].isoformat()
    yield "timezone of days and months", manifest["timezone"]
    yield "vendor cost basis", manifest["vendor_cost_basis"]
    yield "paygen version", manifest["paygen_version"]
    close = manifest["close"]
    yield "close", ", ".join(str(close[name]) for name in SIGNED if name in close)
    yield "digest of the close", close.get("digest", "none")
    yield "figures restated since", close.get("restated_figures", 0)
    yield "missing: no nightly run made them", ", ".join(manifest["missing_marts"]) or "none"
    yield "of an earlier moment, by their totals", ", ".join(manifest["marts_behind"]) or "none"
    for row in manifest["data_quality"]:
        yield f"trust in {row['figure']}", f"{row['status']} {row['findings']}".strip()
    yield ("numbers", "15 digits, as spreadsheets have them; CSV and Parquet are exact")
    yield ("",)
    yield "file", "mart", "rows"
    yield from written
    yield book_name, "this workbook"
    yield MANIFEST, "sizes and SHA-256"


def _batches(rows: Iterator[tuple[Any, ...]]) -> Iterator[Rows]:
    while batch := list(itertools.islice(rows, ROWS_AT_ONCE)):
        yield batch


def _described(path: Path, mart: str, rows: int) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "name": path.name,
        "mart": mart,
        "rows": rows,
        "bytes": path.stat().st_size,
        "sha256": digest,
    }
