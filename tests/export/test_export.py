"""The files of an export against SQL over the marts, and odd months, folders, marts and texts."""

import csv
import fcntl
import hashlib
import json
import os
import socket
import subprocess
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import psycopg2
import psycopg2.errors
import pyarrow.parquet as pq
import pytest

from export import focus, marts, month, workbook
from export.files import CsvFile, ParquetFile
from export.marts import Column, Mart, Part
from export.workbook import Workbook
from local_postgres.server import Server
from reader.database import Database
from tests.app_database import PROJECT, AppDatabase
from tests.conftest import make_database
from tests.dashboard.databases import AS_OF, HISTORIES, build
from tests.dashboard.serving import READER, environment
from tests.export.exporting import Export

MONTH = "2024-11"
# Decided one by one: a new column of a mart needs a decision too.
NOT_SUMMED = {
    "active_users",
    "active_users_30d",
    "active_users_7d",
    "avg_cost_per_generation_usd",
    "cost_per_active_user_usd",
    "credits_deferred",
    "credits_deferred_before",
    "credits_outstanding",
    "credits_owed",
    "deferred_revenue_usd",
    "difference",
    "ended_generations",
    "entry_number",
    "failure_rate",
    "gross_margin_rate",
    "liability_usd",
    "list_price_usd",
    "months_since",
    "new_users",
    "p50_duration_seconds",
    "p95_duration_seconds",
    "refunded_failure_rate",
    "refunds_payable_usd",
    "retention_rate",
    "row_count",
    "share_of_cost",
    "share_of_generations",
    "success_rate",
    "timed_generations",
    "users",
    "users_with_credits",
    "value",
    "value_as_reported",
    "value_now",
    "vendor_cost_same_days_prior_month_usd",
}
VIEWS = ("closed_figures", "daily_latency", "failures_by_reason_month")
# All that FOCUS 1.2 says MUST be present, whoever the provider is.
MANDATORY = {
    *("BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency"),
    *("BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory", "ChargeClass"),
    *("ChargeDescription", "ChargePeriodEnd", "ChargePeriodStart", "ContractedCost"),
    *("EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity", "PricingUnit"),
    *("ProviderName", "PublisherName", "ServiceCategory", "ServiceName"),
}


def of_month(database: AppDatabase, mart: marts.Mart, columns: str = "*") -> list[dict[str, Any]]:
    order = ", ".join([mart.date, *(f'{key}::text collate "C"' for key in mart.keys)])
    return database.query(
        f"select {columns} from analytics.{mart.name}"
        f" where to_char({mart.date}, 'YYYY-MM') = '{MONTH}' order by {order}"
    )


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


@pytest.fixture(scope="module")
def folder(exported_database: AppDatabase, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The month, as the command of the documents writes it."""
    folder = tmp_path_factory.mktemp("month") / "a folder"
    done = subprocess.run(
        ["make", "export", f"MONTH={MONTH}", f"TO={folder}"],
        cwd=PROJECT,
        env=environment(exported_database),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "next: open" in done.stdout
    return folder


def test_the_command_of_the_documents(folder: Path) -> None:
    """`make export MONTH=2024-11 TO=folder` writes these files and nothing beside them."""
    assert {path.name for path in folder.iterdir()} == {
        *(f"{mart.name}.{kind}" for mart in marts.MARTS for kind in ("csv", "parquet")),
        f"paygen-{MONTH}.xlsx",
        "focus_cost_and_usage.csv",
        "manifest.json",
    }
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


@pytest.mark.parametrize("mart", marts.MARTS, ids=lambda mart: mart.name)
def test_every_figure_is_that_of_the_mart(
    exported_database: AppDatabase, folder: Path, mart: marts.Mart
) -> None:
    known = of_month(exported_database, mart)
    assert known
    names = list(known[0])
    as_text = of_month(
        exported_database,
        mart,
        ", ".join(f"coalesce({name}::text, '') as {name}" for name in names),
    )
    for row, texts in zip(known, as_text, strict=True):
        moments = {name: at.isoformat() for name, at in row.items() if isinstance(at, datetime)}
        texts.update(moments)
    assert read_csv(folder / f"{mart.name}.csv") == as_text

    table = pq.read_table(folder / f"{mart.name}.parquet")
    assert table.to_pylist() == known
    for row in exported_database.query(
        "select column_name, numeric_precision as precision, numeric_scale as scale"
        " from information_schema.columns where table_schema = 'analytics'"
        " and table_name = %s and data_type = 'numeric'",
        [mart.name],
    ):
        column = table.schema.field(row["column_name"]).type
        expected = (row["precision"] or 38, (row["precision"] and row["scale"]) or 12)
        assert (column.precision, column.scale) == expected

    book = openpyxl.load_workbook(folder / f"paygen-{MONTH}.xlsx", data_only=True)
    header, *rows, totals = book[mart.name].iter_rows(values_only=True)
    assert list(header) == names
    assert [[as_cell(value) for value in row] for row in rows] == [
        [as_cell(value) for value in row.values()] for row in known
    ]
    assert totals[0] == "Total"
    for name, total in list(zip(names, totals, strict=True))[1:]:
        if name in marts.SUMMED:
            assert total == float(sum(row[name] for row in known)), name
        else:
            assert total is None, name


def as_cell(value: Any) -> Any:
    """A value as a spreadsheet holds it: numbers have 15 digits."""
    if isinstance(value, datetime):
        return value.date()
    return float(f"{value:.15g}") if isinstance(value, int | float | Decimal) else value


def test_totals_are_formulas_over_all_rows(folder: Path) -> None:
    book = openpyxl.load_workbook(folder / f"paygen-{MONTH}.xlsx")
    for mart in marts.MARTS:
        sheet = book[mart.name]
        assert sheet.freeze_panes == "A2"
        for cell in sheet[sheet.max_row]:
            if cell.value is not None and cell.column > 1:
                assert (
                    cell.value == f"=SUM({cell.column_letter}2:{cell.column_letter}{cell.row - 1})"
                )
                assert cell.font.bold


def test_the_columns_that_may_be_summed(exported_database: AppDatabase) -> None:
    """Each number of the marts is decided on, and sums add up to the mart of the month."""
    numbers = exported_database.query(
        "select distinct column_name from information_schema.columns"
        " where table_schema = 'analytics' and table_name = any(%s)"
        " and data_type in ('numeric', 'bigint', 'integer', 'double precision')",
        [[mart.name for mart in marts.MARTS]],
    )
    assert {row["column_name"] for row in numbers} == marts.SUMMED | NOT_SUMMED
    assert not marts.SUMMED & NOT_SUMMED
    by_day = of_month(exported_database, marts.MARTS[-1])
    (whole,) = of_month(exported_database, marts.MARTS[0])
    for name in ("generations", "completed_generations", "credits_used", "credits_refunded"):
        assert sum(row[name] for row in by_day) == whole[name], name
    for mart in marts.MARTS:
        if mart.foots:
            rows = of_month(exported_database, mart)
            assert sum(row[mart.foots] for row in rows) == whole[mart.foots], mart.name


def test_nightly_marts_that_are_missing_are_named(
    exported_database: AppDatabase, export: Export, tmp_path: Path
) -> None:
    """As in a database that only frequent runs have built; all else is there, and foots."""
    nightly = [mart for mart in marts.MARTS if mart.is_nightly]

    def rename(old: str, new: str) -> None:
        for mart in nightly:
            kind = "view" if mart.name in VIEWS else "table"
            names = f"analytics.{old}{mart.name} rename to {new}{mart.name}"
            exported_database.execute(f"alter {kind} {names}")

    rename("", "no_")
    try:
        result = export(MONTH, "--to", tmp_path / "to")
    finally:
        rename("no_", "")
    assert result.code == 0
    names = [mart.name for mart in nightly]
    said = "are missing: run `dbt build --selector daily` and export again."
    assert f"{', '.join(names)} {said}" in result.out
    manifest = json.loads((tmp_path / "to" / "manifest.json").read_text())
    assert (manifest["missing_marts"], manifest["marts_behind"]) == (names, [])
    rest = [mart.name for mart in marts.MARTS if not mart.is_nightly]
    assert {file["mart"] for file in manifest["files"]} == {*rest, "all"}
    book = openpyxl.load_workbook(tmp_path / "to" / f"paygen-{MONTH}.xlsx")
    assert book.sheetnames == ["about", *rest]
    about = {row[0]: row[1] for row in book["about"].iter_rows(values_only=True)}
    assert about["missing: no nightly run made them"] == ", ".join(names)

    assert export(MONTH, "--to", tmp_path / "to").code == 0  # after the nightly run
    assert json.loads((tmp_path / "to" / "manifest.json").read_text())["missing_marts"] == []


def test_nightly_marts_of_an_earlier_moment_are_named(
    exported_database: AppDatabase, export: Export, tmp_path: Path
) -> None:
    """As after a frequent run: the last day of a month is not in what the night before made."""
    behind = ["monthly_provider_margin", "credit_circulation"]
    exported_database.execute(
        "create table analytics.kept as table analytics.monthly_provider_margin;"
        " create table analytics.days as table analytics.credit_circulation;"
        " update analytics.monthly_provider_margin set generations = generations - 1"
        f" where month_start = '{MONTH}-01';"
        " delete from analytics.credit_circulation where usage_date >= '2024-11-30'"
    )
    try:
        result = export(MONTH, "--to", tmp_path / "to")
    finally:
        exported_database.execute(
            "truncate analytics.monthly_provider_margin, analytics.credit_circulation;"
            " insert into analytics.monthly_provider_margin table analytics.kept;"
            " insert into analytics.credit_circulation table analytics.days;"
            " drop table analytics.kept, analytics.days"
        )
    assert result.code == 0
    assert f"{', '.join(behind)} are of an earlier moment than the rest: run `dbt" in result.out
    manifest = json.loads((tmp_path / "to" / "manifest.json").read_text())
    assert (manifest["missing_marts"], manifest["marts_behind"]) == ([], behind)


@pytest.mark.long
@pytest.mark.parametrize("history", HISTORIES)
def test_nightly_marts_foot_whatever_the_history(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, history: str
) -> None:
    """No month of what one run built is said to be of an earlier moment."""
    database = make_database(server)
    HISTORIES[history](database)
    build(database, python_models=True)
    for name, value in environment(database).items():
        monkeypatch.setenv(name, value)
    months = database.query("select month_start from analytics.monthly_usage order by 1")
    assert months
    for row in months:
        folder = tmp_path / str(row["month_start"])
        manifest = month.write(Database(), row["month_start"], folder, lambda *_: None)
        assert (manifest["missing_marts"], manifest["marts_behind"]) == ([], [])


def test_the_manifest_and_the_first_sheet(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["month"] == MONTH
    assert datetime.fromisoformat(manifest["as_of"]) == AS_OF
    assert manifest["timezone"] == "UTC"
    assert (manifest["is_complete"], manifest["covers"]) == (True, "the whole month")
    assert manifest["vendor_cost_basis"] == "ledger"
    assert manifest["paygen_version"] == "0.1.0"
    assert (manifest["missing_marts"], manifest["marts_behind"]) == ([], [])
    named = {file["name"]: file for file in manifest["files"]}
    assert named.keys() == {path.name for path in folder.iterdir()} - {"manifest.json"}
    for name, file in named.items():
        content = (folder / name).read_bytes()
        assert (file["bytes"], file["sha256"]) == (
            len(content),
            hashlib.sha256(content).hexdigest(),
        )
        if name.endswith(".csv"):
            assert file["rows"] == len(read_csv(folder / name))
            assert content.count(b"\r\n") == content.count(b"\n") == file["rows"] + 1
    book = openpyxl.load_workbook(folder / f"paygen-{MONTH}.xlsx")
    assert book.sheetnames == ["about", *(mart.name for mart in marts.MARTS)]
    about = {row[0]: row[1:] for row in book["about"].iter_rows(values_only=True)}
    assert about["month"][0] == MONTH
    assert about["covers"][0] == "the whole month"
    assert about["vendor cost basis"][0] == "ledger"
    assert named.keys() <= about.keys()
    assert about["daily_usage.csv"][1] == named["daily_usage.csv"]["rows"]


def test_the_focus_file(exported_database: AppDatabase, folder: Path) -> None:
    rows = read_csv(folder / "focus_cost_and_usage.csv")
    assert rows[0].keys() >= MANDATORY
    assert {name for name in rows[0] if name not in MANDATORY} == {
        *("ChargeFrequency", "CommitmentDiscountStatus", "ConsumedQuantity", "ConsumedUnit"),
        *("InvoiceId", "PricingCategory", "ServiceSubcategory", "x_EnhancementType"),
    }
    days = [row for row in of_month(exported_database, marts.MARTS[-1]) if row["generations"]]
    assert [Decimal(row["BilledCost"]) for row in rows] == [row["vendor_cost_usd"] for row in days]
    assert [Decimal(row["ListCost"]) for row in rows] == [row["list_cost_usd"] for row in days]
    assert [Decimal(row["PricingQuantity"]) for row in rows] == [row["generations"] for row in days]
    for row, day in zip(rows, days, strict=True):
        assert row["BilledCost"] == row["EffectiveCost"] == row["ContractedCost"]
        assert "." in row["BilledCost"]
        assert "." in row["ListCost"]
        assert row["ChargePeriodStart"] == f"{day['usage_date']}T00:00:00Z"
        assert row["BillingPeriodStart"] == "2024-11-01T00:00:00Z"
        assert row["BillingPeriodEnd"] == "2024-12-01T00:00:00Z"
        assert row["ServiceCategory"] == "AI and Machine Learning"
        assert [name for name in MANDATORY if not row[name]] == ["ChargeClass"]
    months = {
        row["provider_name"]: row["vendor_cost_usd"]
        for row in of_month(exported_database, marts.MARTS[3])
    }
    for provider in {row["ProviderName"] for row in rows}:
        total = sum(Decimal(row["BilledCost"]) for row in rows if row["ProviderName"] == provider)
        assert round(total, 6) == months[provider]


def test_focus_periods_are_days_of_the_reporting_timezone(
    exported_database: AppDatabase, export: Export, tmp_path: Path
) -> None:
    """Such as 3 November 2024, which lasted 25 hours in New York."""
    overview = "update analytics.dashboard_overview set reporting_timezone = %s"
    exported_database.execute(overview, ["America/New_York"])
    try:
        assert export(MONTH, "--to", tmp_path / "to").code == 0
    finally:
        exported_database.execute(overview, ["UTC"])
    rows = read_csv(tmp_path / "to" / "focus_cost_and_usage.csv")
    (third,) = {
        (row["ChargePeriodStart"], row["ChargePeriodEnd"])
        for row in rows
        if row["ChargePeriodStart"].startswith("2024-11-03")
    }
    assert third == ("2024-11-03T04:00:00Z", "2024-11-04T05:00:00Z")
    assert {row["BillingPeriodStart"] for row in rows} == {"2024-11-01T04:00:00Z"}
    assert {row["BillingPeriodEnd"] for row in rows} == {"2024-12-01T05:00:00Z"}


def test_a_month_that_is_not_over_says_until_when(export: Export, tmp_path: Path) -> None:
    result = export("2024-12", "--to", tmp_path / "to")
    assert result.code == 0
    until = f"until {AS_OF.isoformat()}"
    assert until in result.out
    assert "export it again" in result.out
    manifest = json.loads((tmp_path / "to" / "manifest.json").read_text())
    assert (manifest["is_complete"], manifest["covers"]) == (False, until)
    book = openpyxl.load_workbook(tmp_path / "to" / "paygen-2024-12.xlsx")
    assert [row[1] for row in book["about"].values if row[0] == "covers"] == [until]


def test_a_second_export_replaces_the_first(export: Export, folder: Path, tmp_path: Path) -> None:
    """It is the same to the byte."""
    to = tmp_path / "to"
    assert export(MONTH, "--to", to).code == 0
    first = to.stat().st_ino
    (to / "daily_usage.csv").write_text("spoiled")
    assert export(MONTH, "--to", to).code == 0
    assert to.stat().st_ino != first
    assert {path.name: path.read_bytes() for path in to.iterdir()} == {
        path.name: path.read_bytes() for path in folder.iterdir()
    }
    assert list(tmp_path.iterdir()) == [to]


def test_more_rows_than_a_sheet_holds_are_in_the_other_files(
    export: Export, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "ROWS_OF_A_SHEET", 20)
    assert export(MONTH, "--to", tmp_path / "to").code == 0
    before = openpyxl.load_workbook(folder / f"paygen-{MONTH}.xlsx", data_only=True)["daily_usage"]
    sheet = openpyxl.load_workbook(tmp_path / "to" / f"paygen-{MONTH}.xlsx")["daily_usage"]
    header, said, totals = sheet.values
    assert "rows are more than a sheet holds: see the CSV file." in said[0]
    assert totals == list(before.values)[-1]
    csv_file = "daily_usage.csv"
    assert (tmp_path / "to" / csv_file).read_bytes() == (folder / csv_file).read_bytes()
    assert header == next(before.values)


def test_the_columns_of_the_focus_file_are_those_of_its_query() -> None:
    assert sorted(focus.COLUMNS[:-1]) == list(focus.COLUMNS[:-1])
    for name in focus.COLUMNS:
        assert f'"{name}"' in focus.QUERY


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
            f"revoke select on analytics.monthly_type_breakdown from {READER}",
            f"grant select on analytics.monthly_type_breakdown to {READER}",
            "This role may not read analytics.monthly_type_breakdown",
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
