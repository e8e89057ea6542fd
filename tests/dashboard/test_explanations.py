"""Every figure has a reason: its rows, which add up to it, back to the app's own rows."""

import csv
import html
import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

import pytest

from dashboard import explanation, page
from local_postgres import server as embedded
from reader.database import Database, Snapshot
from tests.app_database import AppDatabase, messages
from tests.conftest import make_database
from tests.dashboard.databases import HISTORIES, build
from tests.dashboard.explaining import draw_cells, figure_of_rows
from tests.dashboard.serving import Page, environment
from tests.statement.drawn import START, draw, load_app, make_table

CELLS_IN_THE_GATE = 90
CELLS = 1000
MARTS = (
    *("monthly_usage", "monthly_cost", "monthly_success_rate", "monthly_provider_breakdown"),
    *("daily_usage", "monthly_user_usage", "dashboard_overview"),
)
# What a reader may do with a row of a mart but count: none of it is a figure.
NO_FIGURES = {"month_start", "usage_date"}


def first_in_the_gate(cases: Iterable[str]) -> list[Any]:
    """The first case for the gate, all others for `make test-long`."""
    first, *others = cases
    return [first, *(pytest.param(each, marks=pytest.mark.long) for each in others)]


@contextmanager
def snapshot_of(database: AppDatabase) -> Iterator[Snapshot]:
    """The marts as the reader sees them."""
    with patch.dict("os.environ", environment(database)):
        marts = Database()
        with marts.snapshot() as snapshot:
            yield snapshot
        marts.close()


def check_cells(database: AppDatabase, count: int, seed: int) -> None:
    """Of drawn cells the rows add up to the digit, for the page and by a sum of our own."""
    with snapshot_of(database) as snapshot:
        overview = page.version(snapshot)
        for asked, value in draw_cells(database, count, seed):
            found = explanation.read(snapshot, asked, overview)
            assert found.value == value, asked
            assert found.adds_up, f"{asked}: {found.answer} and not {value}"
            assert figure_of_rows(snapshot, asked, overview, value) == value, asked


def test_rows_add_up_to_their_cell(demo_database: AppDatabase) -> None:
    """Each figure of each mart once, and some more."""
    check_cells(demo_database, CELLS_IN_THE_GATE, seed=1)


@pytest.mark.long
@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Apia"])
def test_rows_add_up_to_a_thousand_cells(server: embedded.Server, history: str, zone: str) -> None:
    """Of the contract's sample and of histories with every known defect, days cut elsewhere too."""
    database = make_database(server)
    HISTORIES[history](database)
    build(database, reports=True, reporting_timezone=zone)
    check_cells(database, CELLS, seed=7)
    check_generations(database)


@pytest.mark.long
@pytest.mark.parametrize(
    "variables",
    [
        {"vendor_cost_basis": "task"},
        {"vendor_cost_basis": "list"},
        {"failed_generations_are_billed": True, "credit_price_usd": 0.01750049},
    ],
    ids=str,
)
def test_rows_add_up_by_other_rules(server: embedded.Server, variables: dict) -> None:
    database = make_database(server)
    HISTORIES["nasty"](database)
    build(database, **variables)
    check_cells(database, CELLS_IN_THE_GATE, seed=8)
    check_generations(database)


@pytest.mark.long
def test_rows_add_up_by_the_vendors_statement(server: embedded.Server) -> None:
    """The statement is behind what it says, and the ledger behind the rest."""
    database, history = make_database(server), draw(1, 300)
    load_app(database, history)
    make_table(database, history)
    build(
        database,
        vendor_cost_basis="statement",
        as_of=START.replace(month=7, day=1).isoformat(),
    )
    (behind,) = database.query(
        "select count(*) from analytics.generation_rows where app_table = 'vendor_billing'"
    )
    assert behind["count"] > 100
    check_cells(database, CELLS_IN_THE_GATE, seed=9)
    check_generations(database)


def check_generations(database: AppDatabase) -> None:
    """The app's rows behind each generation add up to its figures; no row is behind two."""
    differing = database.query(
        """
        with sums as (
            select
                generation_id,
                sum(credits_used) as credits_used,
                sum(credits_refunded) as credits_refunded,
                sum(vendor_cost_usd) as vendor_cost_usd,
                sum(list_cost_usd) as list_cost_usd,
                count(*) filter (where app_table = 'enhancement_tasks') as tasks,
                count(*) filter (where app_table = 'credit_transactions') as ledger_rows
            from analytics.generation_rows
            group by 1
        )
        select facts.generation_id
        from analytics.fct_generations as facts
        left join sums using (generation_id)
        where
            sums.credits_used is distinct from facts.credits_used
            or sums.credits_refunded is distinct from facts.credits_refunded
            or sums.vendor_cost_usd is distinct from coalesce(facts.vendor_cost_usd, 0)
            or sums.list_cost_usd is distinct from coalesce(facts.list_cost_usd, 0)
            or sums.tasks <> (facts.record_source = 'task')::integer
            or sums.ledger_rows <> facts.charge_count + facts.refund_count
        """
    )
    assert differing == []
    twice = database.query(
        "select app_row_id from analytics.generation_rows where app_table = 'credit_transactions'"
        " group by 1 having count(*) > 1"
    )
    assert twice == []


def test_generations_add_up_to_the_apps_rows(demo_database: AppDatabase) -> None:
    check_generations(demo_database)


@pytest.mark.parametrize(
    ("measure", "table"),
    [("vendor_cost_usd", "fct_generations"), ("credits_refunded", "int_refunds_matched")],
)
def test_a_measure_reads_its_own_rows_by_index(
    demo_database: AppDatabase, measure: str, table: str
) -> None:
    """Of the union over all measures one part is left, and its rows are a range of an index."""
    with demo_database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("set enable_seqscan = off; set enable_bitmapscan = off")
        cursor.execute(
            "explain (costs off) select count(*), sum(contributes) from analytics.figure_rows"
            " where measure = %s and row_date >= '2024-11-01' and row_date < '2024-12-01'"
            " and row_at >= '2024-10-30 00:00+00' and row_at < '2024-12-03 00:00+00'",
            [measure],
        )
        plan = [line for (line,) in cursor.fetchall()]
    scans = [line for line in plan if " on " in line and "Scan" in line and "Subquery" not in line]
    assert len(scans) == 1, plan
    assert "Index Scan" in scans[0]
    assert table in scans[0]
    assert any("Index Cond" in line and "created_" in line for line in plan)


def test_every_measure_of_a_mart_is_explained(demo_database: AppDatabase) -> None:
    """A figure that comes into one of these marts needs its rule."""
    missing = demo_database.query(
        """
        select columns.table_name || '.' || columns.column_name as name
        from information_schema.columns
        left join analytics.figure_parts
            on
                columns.table_name = figure_parts.mart
                and columns.column_name = figure_parts.figure
        where
            columns.table_schema = 'analytics' and columns.table_name = any(%s)
            and columns.data_type in ('bigint', 'integer', 'numeric', 'double precision')
            and figure_parts.figure is null
        """,
        [list(MARTS)],
    )
    assert missing == []
    without_a_rule = demo_database.query(
        "select * from analytics.figure_parts"
        " where rule not like '%.' or measure_rule not like '%.' or factor = 0"
    )
    assert without_a_rule == []


def test_figures_of_the_page_lead_to_their_rows(demo_page: Page) -> None:
    """Each link of the page, and of a filtered one, answers rows that add up."""
    for path in ("/", "/?provider=seedream&month=2024-11"):
        hrefs = sorted(set(re.findall(r'href="(explain\?[^"]+)"', demo_page.get(path).text)))
        assert len(hrefs) > 30
        for href in hrefs[:: max(1, len(hrefs) // 12)]:
            answer = demo_page.get("/" + html.unescape(href))
            assert answer.status == 200, (href, answer.text)
            assert "The rows add up to the cell." in answer.text, href


def test_a_file_has_all_rows(demo_page: Page, demo_database: AppDatabase) -> None:
    """The page shows some, and says how many there are; the file's sum is the cell."""
    address = "mart=monthly_cost&figure=vendor_cost_usd&month=2024-11"
    answer = demo_page.get("/csv/explain.csv?" + address)
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    (cell,) = demo_database.query(
        "select vendor_cost_usd from analytics.monthly_cost where month_start = '2024-11-01'"
    )
    assert sum(Decimal(row["contributes"]) for row in rows) == cell["vendor_cost_usd"]
    first = demo_page.get("/explain?" + address).text
    last_page = -(-len(rows) // explanation.ROWS_SHOWN)
    assert f"Page 1 of {last_page}, {len(rows):,} rows in all" in first
    assert "enhancement_tasks" in first
    assert "credit_transactions" in first
    last = demo_page.get(f"/explain?{address}&page={last_page}").text
    assert rows[-1]["row_id"] in last or rows[0]["row_id"] in last
    assert demo_page.get(f"/explain?{address}&page={last_page + 1}").status == 404


BAD = [
    ("mart=nothing&figure=x", 404, "No figures of 'nothing' are explained, but of daily_usage,"),
    ("mart=monthly_cost&figure=x", 404, "monthly_cost has no explained figure 'x': it has avg_"),
    ("mart=monthly_cost&figure=';drop", 404, "monthly_cost has no explained figure"),
    ("mart=monthly_cost", 400, "names no figure"),
    ("mart=monthly_cost&figure=vendor_cost_usd", 400, "Name the month of the cell"),
    ("mart=monthly_cost&figure=vendor_cost_usd&month=5", 400, "write it as YYYY-MM"),
    (
        *("mart=monthly_cost&figure=vendor_cost_usd&month=2031-01", 404),
        "monthly_cost has no row of month 2031-01: it has 2024-09-01 to 2024-12-01.",
    ),
    (
        *("mart=monthly_cost&figure=vendor_cost_usd&month=2024-11&provider=wan", 400),
        "is not named by provider, but by month: leave provider out",
    ),
    (
        *("mart=monthly_provider_breakdown&figure=generations&month=2024-11&provider=x", 404),
        "with the providers",
    ),
    ("mart=monthly_user_usage&figure=generations&month=2024-11&user=x", 404, "has no row of"),
    ("mart=daily_usage&figure=generations", 400, "Name a day or a month"),
    ("mart=daily_usage&figure=generations&day=2024-02-30", 400, "write it as YYYY-MM-DD"),
    ("mart=monthly_cost&figure=vendor_cost_usd&month=2024-11&page=0", 400, "a number from 1 on"),
    ("mart=monthly_cost&figure=vendor_cost_usd&month=2024-11&part=9", 404, "no part 9"),
    ("mart=a&mart=b&figure=x", 400, "names mart twice"),
]


@pytest.mark.parametrize(("address", "status", "said"), BAD)
def test_a_cell_that_is_not_there_is_a_sentence(
    demo_page: Page, address: str, status: int, said: str
) -> None:
    answer = demo_page.get("/explain?" + quote(address, safe="=&%"))
    assert answer.status == status, answer.text
    (notice,) = re.findall(r'role="alert">(.+?)</p>', answer.text)
    assert said in html.unescape(notice)
    assert "Traceback" not in answer.text


OPERATION = {
    "{mart: monthly_cost, figure: gross_margin_rate, month: 2024-11, rows: 2}": (
        "gross_margin_rate, month 2024-11 = ",
        "divisor: credits_refunded",
        "The rows add up to the cell.",
        "enhancement_tasks",
    ),
    "{mart: monthly_success_rate, figure: p95_duration_seconds, month: 2024-11, rows: 2}": (
        "The rows add up to the cell.",
        ", place ",
    ),
    "{mart: dashboard_overview, figure: total_credits_in_circulation, rows: 1}": (
        "The rows add up to the cell.",
        "the user's ledger sums to",
    ),
}
BAD_ARGUMENTS = {
    "{mart: nothing, figure: x}": "there is no mart 'nothing' with explained figures; there are",
    "{mart: monthly_cost, figure: x}": "monthly_cost has no figure 'x'; it has avg_cost",
    "{mart: monthly_cost, figure: vendor_cost_usd}": "name the month of the cell of monthly_cost",
    "{mart: monthly_cost, figure: vendor_cost_usd, month: 2031-01}": (
        "monthly_cost has no row of month 2031-01; it has 2024-09-01 to 2024-12-01"
    ),
    "{mart: monthly_cost, figure: vendor_cost_usd, month: 2024-13}": "'2024-13' is no month",
    "{mart: daily_usage, figure: generations, day: '2023-02-29'}": "'2023-02-29' is no day",
    "{mart: monthly_usage, figure: generations, month: 2024-11, provider: wan}": (
        "is not named by provider, but by month: leave provider out"
    ),
    "{mart: monthly_usage, figure: generations, month: 2024-11, rows: some}": "rows is a number",
    (
        "{mart: monthly_provider_breakdown, figure: generations, month: 2024-11,"
        ' provider: "x\' or 1=1"}'
    ): "it has 2024-09-01 to 2024-12-01, with the providers",
}


@pytest.mark.parametrize("arguments", first_in_the_gate(OPERATION))
def test_the_operation_says_why(
    demo_database: AppDatabase, arguments: str, capsys: pytest.CaptureFixture[str]
) -> None:
    demo_database.dbt("run-operation", "explain", "--args", arguments)
    printed = capsys.readouterr().out
    for words in OPERATION[arguments]:
        assert words in printed


@pytest.mark.parametrize("arguments", first_in_the_gate(BAD_ARGUMENTS))
def test_the_operation_says_what_is_not_there(demo_database: AppDatabase, arguments: str) -> None:
    result = demo_database.dbt(
        "run-operation", "explain", "--args", arguments, expect_success=False
    )
    assert not result.success
    assert BAD_ARGUMENTS[arguments] in messages(result)
