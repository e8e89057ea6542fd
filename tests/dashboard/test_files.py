"""The same pages as files, and tables as CSV."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from dashboard import queries
from reader.cells import cell
from tests.app_database import AppDatabase
from tests.dashboard.reading import parse, read_html
from tests.dashboard.serving import Page, write_files


def test_files_say_what_the_page_says(
    demo_database: AppDatabase, demo_page: Page, demo_files: Path
) -> None:
    manifest = json.loads((demo_files / "paygen-pages.json").read_text())
    assert manifest["pages"][:2] == ["index.html", "month-2024-11.html"]
    for name, address in (
        ("index.html", "/"),
        ("month-2024-11.html", "/?month=2024-11"),
        ("provider-seedream.html", "/?provider=seedream"),
        ("type-image-gen.html", "/?type=image_gen"),
    ):
        assert read_html((demo_files / name).read_text()) == read_html(demo_page.get(address).text)
    again = write_files(demo_database, demo_files)
    assert again.returncode == 0, again.stderr
    assert [path.name for path in demo_files.parent.iterdir()] == ["pages"]


def test_every_link_of_a_file_leads_to_a_file(demo_files: Path) -> None:
    pages = sorted(demo_files.glob("*.html"))
    assert len(pages) > 8
    for page in pages:
        root = parse(page.read_text())
        names = {each.attributes["id"] for each in root.all() if "id" in each.attributes}
        links = [each.attributes["href"] for each in root.all("a")]
        assert len([link for link in links if link.endswith(".csv")]) >= 15
        for link in links:
            if link.startswith("#"):
                assert link[1:] in names
            else:
                assert (demo_files / link).is_file(), link
        assert not root.all("form")
        assert not root.all("script")


def test_a_folder_of_somebody_else_is_left_alone(
    demo_database: AppDatabase, tmp_path: Path
) -> None:
    (tmp_path / "diary.txt").write_text("mine")
    answer = write_files(demo_database, tmp_path)
    assert answer.returncode == 1
    assert "holds files of somebody else" in answer.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["diary.txt"]


def test_a_failed_export_leaves_the_last_one(demo_database: AppDatabase, demo_files: Path) -> None:
    before = {path: path.read_bytes() for path in demo_files.rglob("*") if path.is_file()}
    assert before
    answer = write_files(demo_database, demo_files, PGDATABASE="no_such_database")
    assert answer.returncode == 1
    assert "PostgreSQL does not answer" in answer.stderr
    assert {path: path.read_bytes() for path in demo_files.rglob("*") if path.is_file()} == before
    assert [path.name for path in demo_files.parent.iterdir()] == ["pages"]


def test_every_table_has_its_csv_with_all_rows(demo_database: AppDatabase, demo_page: Page) -> None:
    for name, query in queries.TABLES.items():
        answer = demo_page.get(f"/csv/{name}.csv")
        assert answer.status == 200, answer.text
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert f'filename="{name}.csv"' in answer.headers["content-disposition"]
        header, *rows = csv.reader(io.StringIO(answer.text))
        assert header == [column.name for column in query.columns]
        assert all(len(row) == len(header) for row in rows)
    rows = list(csv.DictReader(io.StringIO(demo_page.get("/csv/months.csv").text)))
    marts = demo_database.query("select * from analytics.monthly_cost order by month_start desc")
    assert [Decimal(row["vendor_cost_usd"]) for row in rows] == [
        row["vendor_cost_usd"] for row in marts
    ]
    failures = list(csv.DictReader(io.StringIO(demo_page.get("/csv/failures.csv").text)))
    (known,) = demo_database.query(
        "select count(*) from analytics.fct_generations"
        " where status = 'failed' and created_date >= '2024-12-01'"
    )
    assert len(failures) == known["count"]


@given(st.text(max_size=20))
def test_no_text_is_a_formula(text: str) -> None:
    written = cell(text)
    assert written in (text, "'" + text)
    assert not written.strip().startswith(("=", "+", "-", "@"))
    if text[:1].isalnum():
        assert written == text


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, max_value=10**9))
def test_a_number_keeps_every_digit_and_stays_a_number(value: Decimal) -> None:
    assert Decimal(cell(value)) == value
    assert "E" not in cell(value)
