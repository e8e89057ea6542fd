"""The same pages as files: written aside, then put in place as a whole."""

import json
import re
from dataclasses import replace
from pathlib import Path

from dashboard import csv_files, page, queries, rendering
from dashboard.filters import Filters
from reader.database import Database, OnceRead, Snapshot
from reader.folders import written_aside
from reader.problems import Problem

MANIFEST = "paygen-pages.json"
MONTHS = 13
NAMES = 20


def write(database: Database, folder: Path) -> list[str]:
    """Write the last months' pages, and those of providers and types, with all tables as CSV.

    Args:
        database: where the marts are; all files are of one snapshot of them.
        folder: made when missing; replaced when an earlier export made it.

    Returns:
        The names of the pages.

    Raises:
        Problem: no marts, no server, or the folder holds anything else.
    """
    folder = folder.resolve()
    _check(folder)
    with written_aside(folder) as aside, database.snapshot() as snapshot:
        names = _write_all(OnceRead(snapshot), aside)
    return names


def _check(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise Problem(f"{folder} is no folder: name another for the pages.")
    if any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise Problem(f"{folder} holds files of somebody else: name a new or empty folder.")


def _write_all(snapshot: Snapshot, folder: Path) -> list[str]:
    overview = page.version(snapshot)
    newest = page.read_period(snapshot, Filters(), overview)
    files = _file_names(newest)

    def page_link(filters: Filters) -> str | None:
        return files.get(filters)

    def table_link(query: queries.Query, filters: Filters) -> str:
        return f"csv/{files[filters].removesuffix('.html')}/{query.name}.csv"

    links = page.Links(page_link, table_link, has_form=False)
    others = [(_title(newest, filters), name) for filters, name in files.items()]
    for filters, name in files.items():
        content = page.read(snapshot, filters, overview, links)
        text = rendering.render_page(content, links, others, name)
        (folder / name).write_text(text, encoding="utf-8")
        for table in (table for section in content.sections for table in section.tables):
            if table.problem is None:
                _write_table(snapshot, table.query, content.period, folder / table.href)
    (folder / MANIFEST).write_text(
        json.dumps(
            {"as_of": overview["as_of"].isoformat(), "pages": list(files.values())}, indent=2
        )
    )
    return list(files.values())


def _write_table(snapshot: Snapshot, query: queries.Query, period: page.Period, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = snapshot.stream(query.sql, query.marts, {**period.parameters, "limit": None})
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(csv_files.lines(query.columns, rows))


def _file_names(period: page.Period) -> dict[Filters, str]:
    """The file of each page; names of providers become safe ones."""
    last = Filters(period.months[-1])
    names = {last: "index.html"}
    for month in reversed(period.months[-MONTHS:-1]):
        names[Filters(month)] = f"month-{month:%Y-%m}.html"
    for kind, rows in (("provider", period.providers), ("type", period.types)):
        for row in rows[:NAMES]:
            safe = re.sub(r"[^a-z0-9]+", "-", row["name"].lower()).strip("-") or "other"
            name = f"{kind}-{safe}.html"
            number = 2
            while name in names.values():
                name = f"{kind}-{safe}-{number}.html"
                number += 1
            names[replace(last, **{kind: row["name"]})] = name
    return names


def _title(period: page.Period, filters: Filters) -> str:
    if filters.provider is not None:
        return next(
            str(row["label"]) for row in period.providers if row["name"] == filters.provider
        )
    if filters.type is not None:
        return filters.type.replace("_", " ")
    return f"{filters.month:%b %Y}"
