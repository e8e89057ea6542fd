"""The audit pack: each total is the sum of rows that are in it."""

import subprocess
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from export import audit
from tests.app_database import PROJECT, AppDatabase
from tests.dashboard.serving import environment
from tests.export.test_export import MONTH


@pytest.fixture(scope="module")
def pack(exported_database: AppDatabase, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pack, as the command of the documents writes it."""
    path = tmp_path_factory.mktemp("audit") / "a folder" / "pack.xlsx"
    done = subprocess.run(
        ["make", "audit", f"MONTH={MONTH}", f"TO={path}"],
        cwd=PROJECT,
        env=environment(exported_database),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Each total is the sum of its rows." in done.stdout
    return path


def test_the_command_of_the_documents(pack: Path) -> None:
    """`make audit MONTH=2024-11 TO=pack.xlsx` writes this file and nothing beside it."""
    assert [path.name for path in pack.parent.iterdir()] == ["pack.xlsx"]
    book = openpyxl.load_workbook(pack)
    assert book.sheetnames == ["about", "totals", *audit.SHEETS, "rules"]
    assert book["totals"]["D2"].value.startswith("=ROUND(SUM(generations!")


def test_totals_are_those_of_marts_and_rows(pack: Path, exported_database: AppDatabase) -> None:
    """Added up here from the cells, and read here from the marts."""
    book = openpyxl.load_workbook(pack, data_only=True)
    marts = {
        mart: exported_database.query(
            f"select * from analytics.{mart} where month_start = '{MONTH}-01'"
        )[0]
        for mart in audit.MARTS
    }
    lines = list(book["totals"].iter_rows(min_row=2, values_only=True))
    assert len(lines) == len(audit.TOTALS) + len(audit.WORTHS)
    assert sum(1 for line in lines if line[2]) > 15
    for mart, figure, value, total, difference, source in lines:
        assert Decimal(str(value)) == marts[mart][figure], figure
        assert (difference, total) == (0, value), figure
        if source in audit.SHEETS:
            head, *rows = book[source].iter_rows(values_only=True)
            cells = [row[head.index(figure)] or 0 for row in rows] if figure in head else []
            added = sum(Decimal(str(cell)) for cell in cells)
            assert round(added, 6) == Decimal(str(value)), (figure, source)


def test_each_row_of_the_app_is_behind_a_generation_of_the_pack(pack: Path) -> None:
    book = openpyxl.load_workbook(pack, read_only=True, data_only=True)
    generations = {row[0] for row in book["generations"].iter_rows(min_row=2, values_only=True)}
    behind = list(book["app_rows"].iter_rows(min_row=2, values_only=True))
    assert {row[0] for row in behind} == generations
    assert {row[1] for row in behind} <= {
        *("enhancement_tasks", "credit_transactions", "provider_prices")
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Name the month: make audit MONTH=2026-10."),
        (["2024-13"], "write it as YYYY-MM"),
        (["2031-01"], "There is no month 2031-01: the marts have 2024-"),
    ],
)
def test_bad_input_is_a_sentence(
    exported_database: AppDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    for name, value in environment(exported_database).items():
        monkeypatch.setenv(name, value)
    assert audit.main([*arguments, "--to", str(tmp_path / "pack.xlsx")]) == 1
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_marts_of_another_moment_are_told(
    exported_database: AppDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A total that its rows do not give is written as it is, and said."""
    for name, value in environment(exported_database).items():
        monkeypatch.setenv(name, value)
    change = (
        "update analytics.monthly_usage set generations = generations {0} 1 where month_start = %s"
    )
    exported_database.execute(change.format("+"), [f"{MONTH}-01"])
    try:
        assert audit.main([MONTH, "--to", str(tmp_path / "pack.xlsx")]) == 0
    finally:
        exported_database.execute(change.format("-"), [f"{MONTH}-01"])
    assert "A total is not the sum of its rows" in capsys.readouterr().out
    book = openpyxl.load_workbook(tmp_path / "pack.xlsx", data_only=True)
    assert book["totals"]["E2"].value == 1


def test_the_forecast_stands_beside_the_cost(exported_database: AppDatabase) -> None:
    """Each month that costs something or is forecast, once; no budget is set."""
    rows = exported_database.query("select * from analytics.monthly_budget")
    costs = {
        row["month_start"]: row["vendor_cost_usd"]
        for row in exported_database.query("select * from analytics.monthly_cost")
    }
    forecasts = {
        row["month_start"]: row["vendor_cost_usd"]
        for row in exported_database.query(
            "select * from analytics.cost_forecast where provider = 'all'"
        )
    }
    assert len(rows) == len(costs.keys() | forecasts.keys()) > len(costs)
    for row in rows:
        assert row["actual_cost_usd"] == costs.get(row["month_start"])
        forecast = forecasts.get(row["month_start"])
        assert row["forecast_cost_usd"] == (forecast if forecast is None else round(forecast, 6))
        assert row["budget_usd"] is row["over_budget_usd"] is None
