"""Odd months and folders, marts as they should not be, exports that break off."""

import csv
import fcntl
import json
import os
import socket
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import psycopg2
import psycopg2.errors
import pytest

from export import month
from export.files import CsvFile, ParquetFile
from export.marts import Column, Mart, Part
from export.workbook import Workbook
from reader.database import Database
from tests.app_database import AppDatabase
from tests.dashboard.serving import READER
from tests.export.exporting import Export

MONTH = "2024-11"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2024-13", "month is '2024-13': write it as YYYY-MM"),
        ("2024-1", "write it as YYYY-MM"),
        ("11/2024", "write it as YYYY-MM"),
        ("2024-11-01", "write it as YYYY-MM"),
        ("\u0662\u0660\u0662\u0664-\u0661\u0661", "write it as YYYY-MM"),
        ("../../etc", "write it as YYYY-MM"),
        ("", "write it as YYYY-MM"),
        ("0000-01", "there is no such month"),
        ("1999-01", "There is no month 1999-01: the marts have 2024-09 to 2024-12."),
        ("2025-01", "There is no month 2025-01: the marts have 2024-09 to 2024-12."),
        ("9999-12", "There is no month 9999-12"),
    ],
)
def test_other_months_are_a_sentence(
    export: Export, tmp_path: Path, written: str, said: str
) -> None:
    result = export(written, "--to", tmp_path / "to")
    assert result.code == 1
    assert said in result.said
    assert "\n" not in result.said
    assert list(tmp_path.iterdir()) == []


def test_no_month_is_a_sentence(export: Export) -> None:
    result = export()
    assert (result.code, result.said) == (1, "Name the month: make export MONTH=2026-10.")


def test_folders_that_cannot_be_used_are_a_sentence(export: Export, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    assert "is no folder" in export(MONTH, "--to", file).said
    assert "cannot be written (" in export(MONTH, "--to", file / "below").said
    assert "cannot be written (" in export(MONTH, "--to", "/proc/paygen").said
    others = tmp_path / "others"
    others.mkdir()
    for content in ("text", "[]", "{}", '{"month": "2024-11", "files": [1]}'):
        (others / "manifest.json").write_text(content)
        assert "holds other files" in export(MONTH, "--to", others).said
        assert (others / "manifest.json").read_text() == content
    assert file.read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {"file", "others"}


def test_what_no_export_of_the_month_wrote_is_left_alone(export: Export, tmp_path: Path) -> None:
    to = tmp_path / "to"
    to.mkdir()  # an empty one may be filled
    assert export(MONTH, "--to", to).code == 0
    result = export("2024-10", "--to", to)
    assert result.code == 1
    assert "holds the export of 2024-11" in result.said
    (to / "notes.txt").write_text("mine")
    result = export(MONTH, "--to", to)
    assert result.code == 1
    assert "also holds notes.txt" in result.said
    assert (to / "notes.txt").read_text() == "mine"


def test_no_server_is_one_sentence(
    export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("PGHOST", "127.0.0.1")
    monkeypatch.setenv("PGPORT", str(port))
    monkeypatch.setenv("PGPASSWORD", "very-secret")
    result = export(MONTH, "--to", tmp_path / "to")
    assert result.code == 1
    assert "PostgreSQL does not answer" in result.said
    assert "very-secret" not in result.said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("spoil", "mend", "said"),
    [
        (
            f"revoke select on analytics.monthly_cost from {READER}",
            f"grant select on analytics.monthly_cost to {READER}",
            "This role may not read analytics.monthly_cost (permission denied for table"
            " monthly_cost): add it to `reader_roles` in dbt_project.yml and build again.",
        ),
        (
            f"revoke usage on schema analytics from {READER}",
            f"grant usage on schema analytics to {READER}",
            "permission denied for schema analytics",
        ),
        (
            "alter view analytics.monthly_user_usage rename to elsewhere",
            "alter view analytics.elsewhere rename to monthly_user_usage",
            "analytics.monthly_user_usage does not exist: build the marts with `dbt build`",
        ),
        (
            "alter table analytics.dashboard_overview rename reporting_timezone to zone",
            "alter table analytics.dashboard_overview rename zone to reporting_timezone",
            "analytics.dashboard_overview was built by an older paygen",
        ),
        (
            "alter table analytics.monthly_cost rename month_start to month",
            "alter table analytics.monthly_cost rename month to month_start",
            "analytics.monthly_cost was built by an older paygen",
        ),
        (
            "create table analytics.kept as table analytics.dashboard_overview;"
            " truncate analytics.dashboard_overview",
            "insert into analytics.dashboard_overview table analytics.kept;"
            " drop table analytics.kept",
            "analytics.dashboard_overview is empty: build the marts",
        ),
        (
            "update analytics.dashboard_overview set reporting_timezone = 'Mars/Olympus'",
            "update analytics.dashboard_overview set reporting_timezone = 'UTC'",
            'time zone "Mars/Olympus" not recognized',
        ),
        (
            "alter table analytics.monthly_cost add column surprise jsonb",
            "alter table analytics.monthly_cost drop column surprise",
            "monthly_cost.surprise has the type jsonb",
        ),
        # The last mart: by then the other files are there, aside.
        (
            "insert into analytics.daily_usage (usage_date, provider, enhancement_type,"
            " vendor_cost_usd) values ('2024-11-30', 'zzz', 'zzz', 'NaN')",
            "delete from analytics.daily_usage where provider = 'zzz'",
            "daily_usage holds a value that Parquet cannot hold exactly",
        ),
    ],
    ids=str,
)
def test_marts_as_they_should_not_be_are_a_sentence_and_leave_the_last_export(
    exported_database: AppDatabase,
    export: Export,
    tmp_path: Path,
    spoil: str,
    mend: str,
    said: str,
) -> None:
    to = tmp_path / "to"
    to.mkdir()
    kept = json.dumps({"month": MONTH, "files": []})
    (to / "manifest.json").write_text(kept)
    exported_database.execute(spoil)
    try:
        result = export(MONTH, "--to", to)
    finally:
        exported_database.execute(mend)
    assert result.code == 1
    assert said in result.said
    assert "\n" not in result.said
    assert list(tmp_path.iterdir()) == [to]
    assert [(path.name, path.read_text()) for path in to.iterdir()] == [("manifest.json", kept)]


@pytest.mark.parametrize("last", ["monthly_usage", "daily_usage", "FOCUS"])
def test_an_interrupted_export_leaves_nothing(export: Export, tmp_path: Path, last: str) -> None:
    def interrupt(what: str, rows: int, of: int) -> None:
        if what == last and rows:
            assert len(list(tmp_path.iterdir())) == 1  # aside, while it is written
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        month.write(Database(), date(2024, 11, 1), tmp_path / "to", interrupt)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_export_left_is_removed_by_the_next(export: Export, tmp_path: Path) -> None:
    """But not what another one writes at the moment, nor what only looks like it."""
    killed, running, others = (
        tmp_path / name
        for name in (".to-0123abcd.partial", ".to-4567abcd.partial", ".to-config.partial")
    )
    for each in (killed, running, others):
        each.mkdir()
        (each / "file").touch()
    handle = os.open(running, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        assert export(MONTH, "--to", tmp_path / "to").code == 0
    finally:
        os.close(handle)
    assert {path.name for path in tmp_path.iterdir()} == {running.name, others.name, "to"}


def test_all_files_show_one_moment(
    exported_database: AppDatabase, export: Export, tmp_path: Path
) -> None:
    """What is written after the first mart was read is in no file, and no mart is swapped."""
    to = tmp_path / "to"
    counted = "select count(*) from analytics.daily_usage"
    known = exported_database.query(counted)

    def write_meanwhile(what: str, rows: int, of: int) -> None:
        if what == "monthly_usage" and rows:
            exported_database.execute(
                "insert into analytics.daily_usage (usage_date, provider, enhancement_type)"
                " values ('2024-11-30', 'zzz', 'zzz')"
            )
            with pytest.raises(psycopg2.errors.LockNotAvailable):
                exported_database.execute(
                    "set lock_timeout = 50; alter table analytics.daily_usage rename to elsewhere"
                )

    try:
        month.write(Database(), date(2024, 11, 1), to, write_meanwhile)
    finally:
        exported_database.execute("delete from analytics.daily_usage where provider = 'zzz'")
    assert "zzz" not in (to / "daily_usage.csv").read_text()
    assert exported_database.query(counted) == known


FORMULAS = [
    *("=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", " =1", '=HYPERLINK("http://x.example")'),
    *("=cmd|'/c calc'!A1", "\N{FULLWIDTH EQUALS SIGN}1"),
]
TEXTS = ["a=1", "0012", "1e5", "http://x.example", 'say "so", twice', "two\nlines", "ä€😀", "{=1}"]


def test_no_text_becomes_a_formula_and_no_number_becomes_text(tmp_path: Path) -> None:
    columns = (
        Column("name", "text"),
        Column("generations", "bigint"),
        Column("net_credits_used", "numeric", 38, 12),
        Column("seen_at", "timestamp with time zone"),
        Column("is_known", "boolean"),
    )
    moment = datetime(2024, 11, 3, 6, 30, tzinfo=UTC)
    texts = [*FORMULAS, *TEXTS, None]
    rows = [(text, -5, Decimal("-0.000000000001"), moment, True) for text in texts]
    part = Part(Mart("some", "name"), columns, len(rows))
    book = Workbook(tmp_path / "book.xlsx", "title", moment)
    outputs = [
        CsvFile(tmp_path / "file.csv", [column.name for column in columns]),
        ParquetFile(tmp_path / "file.parquet", "some", columns, {}),
        book.sheet(part),
    ]
    for output in outputs:
        output.write(rows)
        output.close()
    book.close([("=1+1", "@x")])
    expected = [*("'" + text for text in FORMULAS), *TEXTS, None]

    with (tmp_path / "file.csv").open(encoding="utf-8", newline="") as file:
        header, *read = csv.reader(file, strict=True)
    assert header == [column.name for column in columns]
    assert [row[0] for row in read] == [text or "" for text in expected]
    assert {tuple(row[1:]) for row in read} == {
        ("-5", "-0.000000000001", "2024-11-03T06:30:00+00:00", "true")
    }

    opened = openpyxl.load_workbook(tmp_path / "book.xlsx")
    _, *read, totals = opened["some"].iter_rows()
    assert [row[0].value for row in read] == [
        text and text.replace("\r", "_x000D_") for text in expected
    ]
    for row in read:
        assert row[0].data_type != "f"
        assert (row[1].value, row[2].value) == (-5, -1e-12)
        assert (row[3].value, row[4].value) == (moment.replace(tzinfo=None), True)
    assert [cell.value for cell in totals[1:3]] == [
        f"=SUM({letter}2:{letter}{len(rows) + 1})" for letter in "BC"
    ]
    assert [[cell.value for cell in row] for row in opened["about"]] == [["'=1+1", "'@x"]]
