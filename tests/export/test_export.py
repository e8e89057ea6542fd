"""The files of an export against SQL over the marts, to the digit."""

import csv
import hashlib
import json
import subprocess
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from export import focus, marts, workbook
from tests.app_database import PROJECT, AppDatabase
from tests.dashboard.databases import AS_OF
from tests.dashboard.serving import environment
from tests.export.exporting import Export

MONTH = "2024-11"
# Decided one by one: a new column of a mart needs a decision too.
NOT_SUMMED = {
    "active_users",
    "avg_cost_per_generation_usd",
    "cost_per_active_user_usd",
    "failure_rate",
    "gross_margin_rate",
    "new_users",
    "p50_duration_seconds",
    "p95_duration_seconds",
    "refunded_failure_rate",
    "share_of_cost",
    "share_of_generations",
    "success_rate",
    "vendor_cost_same_days_prior_month_usd",
}
# All that FOCUS 1.2 says MUST be present, whoever the provider is.
MANDATORY = {
    *("BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency"),
    *("BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory", "ChargeClass"),
    *("ChargeDescription", "ChargePeriodEnd", "ChargePeriodStart", "ContractedCost"),
    *("EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity", "PricingUnit"),
    *("ProviderName", "PublisherName", "ServiceCategory", "ServiceName"),
}


def of_month(database: AppDatabase, mart: marts.Mart, columns: str = "*") -> list[dict[str, Any]]:
    order = ", ".join([mart.date, *(f'{key} collate "C"' for key in mart.keys)])
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
    (month,) = of_month(exported_database, marts.MARTS[0])
    for name in ("generations", "completed_generations", "credits_used", "credits_refunded"):
        assert sum(row[name] for row in by_day) == month[name], name


def test_the_manifest_and_the_first_sheet(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["month"] == MONTH
    assert datetime.fromisoformat(manifest["as_of"]) == AS_OF
    assert manifest["timezone"] == "UTC"
    assert (manifest["is_complete"], manifest["covers"]) == (True, "the whole month")
    assert manifest["vendor_cost_basis"] == "ledger"
    assert manifest["paygen_version"] == "0.1.0"
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
