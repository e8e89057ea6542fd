"""How figures are written and drawn."""

import itertools
import re
import xml.etree.ElementTree as ElementTree
from datetime import date
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dashboard import charts, explanation, queries
from dashboard import numbers_shown as numbers
from dashboard.filters import Filters, parse
from dashboard.rendering import prose
from demo import __main__ as demo
from reader.problems import BadRequest
from tests.app_database import PROJECT

amounts = st.decimals(
    allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9
)


@pytest.mark.parametrize(
    ("value", "kind", "written"),
    [
        (None, "usd", "N/A"),
        (None, "text", ""),
        (Decimal("1234.565"), "usd", "$1,234.57"),
        (Decimal("-0.004"), "usd", "$0.00"),
        (Decimal("-1.5"), "usd", "\N{MINUS SIGN}$1.50"),
        (Decimal("0.04173"), "usd4", "$0.0417"),
        (Decimal("0.981761"), "rate", "98.18%"),
        (Decimal("-0.00001"), "rate", "0.00%"),
        (Decimal("12.500"), "credits", "12.5"),
        (Decimal("1E+3"), "credits", "1,000"),
        (Decimal("100"), "credits", "100"),
        (1234567, "count", "1,234,567"),
        (-12, "count", "\N{MINUS SIGN}12"),
        (0.123456, "rate", "12.35%"),
        (date(2024, 12, 1), "month", "Dec 2024"),
        ("x" * 500, "note", "x" * 159 + "…"),
        ("failed_billed", "words", "failed billed"),
        ("vendor_cost_usd", "words", "vendor cost"),
        ("gross_margin_usd", "figure", "Gross margin, USD"),
        ("p95_duration_seconds", "figure", "P95 duration seconds"),
    ],
)
def test_figures_are_written_with_their_unit(value: object, kind: str, written: str) -> None:
    assert numbers.show(value, kind) == written


@pytest.mark.parametrize(
    ("now", "before", "kind", "written"),
    [
        (110, 100, "count", "▲ 10.0%"),
        (90, 100, "count", "▼ 10.0%"),
        (100, 100, "count", "no change"),
        (5, 0, "count", "▲ 5"),
        (Decimal("5.5"), Decimal(0), "usd", "▲ $5.50"),
        (Decimal("0.98"), Decimal("0.97"), "rate", "▲ 1.00 points"),
        (Decimal("0.97"), Decimal("0.97001"), "rate", "no change"),
        (None, 4, "count", ""),
        (4, None, "count", ""),
    ],
)
def test_changes_say_their_direction(now: object, before: object, kind: str, written: str) -> None:
    assert numbers.change(now, before, kind) == written


@given(amounts)
def test_credits_lose_no_digit(value: Decimal) -> None:
    text = numbers.count(value)
    assert Decimal(text.replace(",", "").replace("\N{MINUS SIGN}", "-")) == value
    assert not re.search(r"\.\d*0$", text)


@given(st.lists(st.none() | amounts, max_size=31), st.booleans())
def test_a_scale_holds_its_values(values: list, from_zero: bool) -> None:
    scale = charts.scale_for(values, from_zero)
    assert 2 <= len(scale.ticks) <= charts.TICKS + 3
    for value in values:
        if value is not None:
            assert charts.TOP - 0.2 <= scale.y(value) <= charts.HEIGHT - charts.BOTTOM + 0.2


@given(st.lists(st.none() | amounts, max_size=31), st.text(max_size=5))
def test_charts_are_well_formed_and_escape(values: list, text: str) -> None:
    printable = "".join(letter for letter in text if letter.isprintable())
    labels = [printable] * len(values)
    for chart in (
        charts.column_chart("n", "d", labels, values, str),
        charts.line_chart("n", "d", labels, [charts.Series(printable, values)], str),
        charts.sparkline(values, printable),
    ):
        if chart:
            ElementTree.fromstring(str(chart))


@given(st.lists(st.lists(amounts, min_size=4, max_size=4), min_size=1, max_size=3))
def test_names_of_lines_stay_apart_and_above_the_axis(lines: list) -> None:
    series = [charts.Series(f"line {place}", values) for place, values in enumerate(lines)]
    chart = ElementTree.fromstring(str(charts.line_chart("n", "d", list("abcd"), series, str)))
    ends = [each for each in chart.iter("text") if "end" in each.get("class", "")]
    heights = sorted(float(each.get("y", "")) for each in ends)
    assert len(heights) == len(lines)
    assert heights[-1] + charts.LABEL_GAP <= charts.HEIGHT - charts.BOTTOM + 2
    assert all(b - a >= 2 * charts.LABEL_GAP - 0.2 for a, b in itertools.pairwise(heights))


def test_what_is_not_over_looks_so() -> None:
    """The last column is light, the way to the last point dashed; a line of one point is none."""
    names, values = ["Sep", "Oct", "Nov"], [3, None, 2]
    columns = ElementTree.fromstring(
        str(charts.column_chart("n", "d", names, values, str, is_running=True))
    )
    running = [each for each in columns.iter("path") if each.get("class") == "running"]
    assert [each.findtext("title") for each in running] == ["Nov: 2"]
    for given_values, ways in (([3, 4, 2], 1), ([3, None, 2], 0), ([2], 0)):
        line = charts.line_chart(
            *("n", "d", names[: len(given_values)], [charts.Series("a", given_values)], str),
            is_running=True,
        )
        dashed = re.findall(r'class="line running" d="(M[^"]+L[^"]+)"', str(line))
        assert len(dashed) == ways


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=300)), max_size=6))
def test_an_address_is_read_or_refused_in_a_sentence(parameters: list) -> None:
    said = ""
    try:
        filters = parse(parameters)
    except BadRequest as problem:
        said = problem.sentence
        filters = Filters()
    assert len(said) < 200
    assert parse(parse_qsl(filters.address()[1:])) == filters


def test_an_address_and_its_filters_are_the_same() -> None:
    filters = Filters(date(2024, 12, 1), "a&b=c d", "<x>")
    assert parse(parse_qsl(filters.address()[1:])) == filters


def test_backticks_become_code_and_markup_stays_text() -> None:
    assert prose("run `dbt build` <now>") == "run <code>dbt build</code> &lt;now&gt;"


def queries_of_the_page() -> list[queries.Query]:
    """All of its figures, and those of their explanations."""
    found = [*vars(queries).values(), *vars(explanation).values()]
    return [each for each in found if isinstance(each, queries.Query)]


def test_every_query_reads_marts_only() -> None:
    for query in queries_of_the_page():
        read = set(re.findall(r"\{schema\}\.(\w+)", query.sql))
        assert read == set(query.marts), query.name
        assert set(re.findall(r"\{(\w+)\}", query.sql)) == {"schema"}, query.name
        assert not re.findall(r"(?:from|join) (?:public|auth|analytics)\w*\.", query.sql)


def test_exposures_name_what_is_read() -> None:
    """Of the page and of BI tools; tables of Python models, which a database may lack, apart."""
    text = (PROJECT / "models" / "_exposures.yml").read_text()
    named = {
        each["name"]: {ref[5:-2] for ref in each["depends_on"]}
        for each in yaml.safe_load(text)["exposures"]
    }
    files = (PROJECT / "models" / "marts").rglob("*.*")
    of_python = {"cost_forecast", "failure_reasons", "failures_by_reason_month"}
    of_python |= {"forecast_accuracy", "monthly_budget", "usage_anomalies"}
    marts = {path.stem for path in files if path.suffix in (".sql", ".py")} - of_python
    read = {mart for query in queries_of_the_page() for mart in query.marts}
    assert named["page"] == read - of_python
    assert named["bi_tool"] == marts - {"dashboard_stats"}, "the app's JSON is for the app"


def test_without_a_demo_the_next_step_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "DATA_DIRECTORY", tmp_path / "server")
    assert demo.main(["environment"]) == 1
    assert "There is no demo yet: run `make demo`." in capsys.readouterr().err
    assert not (tmp_path / "server").exists()
