"""Odd addresses, marts as they should not be, servers that go away: a sentence each time."""

import csv
import io
import os
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from urllib.parse import quote

import pytest

from dashboard.__main__ import main
from tests.app_database import PROJECT, AppDatabase
from tests.dashboard.reading import read_html
from tests.dashboard.serving import READER, Page, environment, page_of

TRACE = re.compile(r"Traceback|File \"|psycopg2|line \d+, in|LINE \d+:")


def sentence(text: str) -> str:
    """The one sentence of an answer without figures."""
    notices = read_html(text)["notices"]
    assert len(notices) == 1, text[-2000:]
    assert not TRACE.search(text)
    return notices[0]


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("month=2024-13", 400, "month is '2024-13': write it as YYYY-MM"),
        ("month=2024-1", 400, "write it as YYYY-MM"),
        ("month=12/2024", 400, "write it as YYYY-MM"),
        ("month=٢٠٢٤-١٢", 400, "write it as YYYY-MM"),
        ("month=2024-12-01", 400, "write it as YYYY-MM"),
        ("month=0000-01", 400, "there is no such month"),
        ("month=2024-12&month=2024-11", 400, "names month twice"),
        ("month=1999-01", 404, "There is no month 1999-01: the marts have 2024-09 to 2024-12."),
        ("month=2025-01", 404, "There is no month 2025-01"),
        ("month=9999-12", 404, "There is no month 9999-12"),
        ("provider=nobody", 404, "There is no provider 'nobody'. Known are: nanobanana"),
        ("provider=%00", 400, "No provider is called"),
        ("provider=" + "x" * 5000, 400, "No provider is called 'xxx"),
        ("provider=' or 1=1 --", 404, "There is no provider '' or 1=1 --'"),
        ("provider=%25(limit)s", 404, "There is no provider '%(limit)s'"),
        ("type=<script>alert(1)</script>", 404, "There is no type '<script>alert(1)</script>'"),
        ("type={{7*7}}", 404, "There is no type '{{7*7}}'"),
    ],
)
def test_nonsense_is_answered_by_a_sentence(
    demo_page: Page, query: str, status: int, said: str
) -> None:
    answer = demo_page.get("/?" + quote(query, safe="=&%"))
    assert answer.status == status
    assert said in sentence(answer.text)
    assert "<script" not in answer.text
    of_table = demo_page.get("/csv/days.csv?" + quote(query, safe="=&%"))
    assert of_table.status == status
    assert said in of_table.text
    assert not TRACE.search(of_table.text)


def test_what_is_empty_or_unknown_is_no_filter(demo_page: Page) -> None:
    answer = demo_page.get("/?month=&provider=&type=%20&zzz=1")
    assert answer.status == 200
    assert read_html(answer.text)["title"] == "December 2024"


@pytest.mark.parametrize("spelling", ["seedream", "Seedream", "SEEDREAM", " seedream "])
def test_a_provider_may_be_written_as_people_do(demo_page: Page, spelling: str) -> None:
    answer = demo_page.get("/?provider=" + quote(spelling))
    assert read_html(answer.text)["title"] == "December 2024, Seedream"


@pytest.mark.parametrize(
    "path", ["/nothing", "/csv/nothing.csv", "/csv/..%2f..%2fetc.csv", "/csv/"]
)
def test_other_addresses_are_not_found(demo_page: Page, path: str) -> None:
    answer = demo_page.get(path)
    assert answer.status == 404
    assert not TRACE.search(answer.text)


def test_only_names_of_this_machine_are_answered(demo_page: Page) -> None:
    """A stranger's page whose name points here gets nothing."""
    assert demo_page.get("/", Host="evil.example").status == 400
    assert demo_page.get("/", Host="localhost").status == 200


def test_a_proxys_host_as_the_readme_has_it(demo_database: AppDatabase) -> None:
    readme = (PROJECT / "dashboard" / "README.md").read_text()
    (options,) = re.findall("`python -m dashboard --no-browser (--allowed-host .*?)`", readme)
    with page_of(demo_database, options=options.split()) as page:
        assert page.get("/", Host="figures.example.com").status == 200
        assert page.get("/", Host="evil.example").status == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_the_page_is_for_reading(demo_page: Page, method: str) -> None:
    answer = demo_page.get("/?month=2024-11", method=method)
    assert answer.status == 405
    assert {*answer.headers["allow"].split(", ")} == {"GET", "HEAD"}
    assert sentence(answer.text) == "This page is for reading: ask with GET."


@pytest.mark.parametrize("path", ["/", "/csv/days.csv", "/favicon.ico"])
def test_a_head_says_what_a_get_would(demo_page: Page, path: str) -> None:
    head, get = demo_page.get(path, method="HEAD"), demo_page.get(path)
    assert head.text == ""
    assert head.status == get.status
    assert head.headers["content-type"] == get.headers["content-type"]


def test_nothing_is_fetched_from_elsewhere(demo_page: Page) -> None:
    answer = demo_page.get()
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "<script" not in answer.text
    assert not re.search(r"(src|href)=\"?(https?:)?//", answer.text)
    assert not re.search(r"\sstyle=", answer.text)


@pytest.fixture
def spoiled(empty_marts: AppDatabase) -> AppDatabase:
    """Marts with markup, formulas and long text wherever text can stand."""
    empty_marts.execute(
        """
        insert into analytics.fct_generations (
            generation_id, user_id, provider, enhancement_type, status, created_at, created_date,
            credits_used, credits_refunded, charge_count, refund_count, is_refunded, error_message
        ) values (
            '=1+1', '@user', '<b>bold</b>', '"><img src=x>', 'failed', '2024-12-04 15:00+00',
            '2024-12-04', 2, 0, 1, 0, false, '=HYPERLINK("http://x.example")<script>x</script>'
        ), (
            '-2+3', '+user', '<b>bold</b>', '"><img src=x>', 'failed', '2024-12-04 15:01+00',
            '2024-12-04', 2, 0, 1, 0, false, '  =cmd|''/c calc''!A1' || repeat('long ', 500)
        );
        insert into analytics.daily_usage (usage_date, provider, enhancement_type, generations,
            completed_generations, failed_generations, cancelled_generations,
            in_flight_generations, credits_used, vendor_cost_usd, list_cost_usd, refunds_issued,
            credits_refunded)
        values ('2024-12-04', '<b>bold</b>', '"><img src=x>', 2, 0, 2, 0, 0, 4, 0, 0, 0, 0);
        insert into analytics.monthly_provider_breakdown (month_start, provider, provider_name,
            generations, completed_generations, failed_generations, in_flight_generations,
            vendor_cost_usd, list_cost_usd, credits_used, active_users)
        values ('2024-12-01', '<b>bold</b>', '<b>bold</b>', 2, 0, 2, 0, 0, 0, 4, 2)
        """
    )
    return empty_marts


def test_markup_is_text_and_formulas_are_no_formulas(spoiled: AppDatabase) -> None:
    with page_of(spoiled) as page:
        text = page.get().text
        narrow = page.get("/?provider=" + quote("<b>bold</b>")).text
        table = page.get("/csv/failures.csv").text
        days = page.get("/csv/days.csv").text
    for each in (text, narrow):
        assert "&lt;b&gt;bold&lt;/b&gt;" in each
        assert not re.search(r"<b>|<img|<script", each)
    assert read_html(narrow)["title"] == "December 2024, <b>bold</b>"
    cells = [cell for row in csv.reader(io.StringIO(table)) for cell in row]
    assert "'=1+1" in cells
    assert "'-2+3" in cells
    assert not [cell for cell in cells if cell.strip().startswith(("=", "+", "-", "@"))]
    day, *figures, margin = days.splitlines()[1].split(",")
    assert (day, margin) == ("2024-12-04", "")  # no price of a credit is known
    assert [Decimal(figure) for figure in figures] == [2, 0, 2, 0, 4, 0, 0]


def test_ten_thousand_providers_are_fifteen_rows_and_a_sum(empty_marts: AppDatabase) -> None:
    empty_marts.execute(
        """
        insert into analytics.monthly_provider_breakdown (month_start, provider, provider_name,
            generations, completed_generations, failed_generations, in_flight_generations,
            success_rate, failure_rate, vendor_cost_usd, list_cost_usd,
            avg_cost_per_generation_usd, credits_used, active_users, share_of_generations,
            share_of_cost)
        select '2024-12-01', 'provider-' || n, 'Provider ' || n, n, n, 0, 0, 1, 0, 0.01 * n, 0,
            0.01, n, 1, 0.0001, 0.0001
        from generate_series(1, 10000) as n
        """
    )
    with page_of(empty_marts) as page:
        started = time.monotonic()
        answer = page.get()
        assert time.monotonic() - started < 5
        table = page.get("/csv/providers.csv").text
        one = page.get("/?provider=provider-77")
        assert page.memory_mib() < 80
    assert len(answer.text.encode()) < 100 * 1024
    rows = read_html(answer.text)["tables"]["providers"][1:]
    assert len(rows) == 16
    assert rows[0][:2] == ["Provider 10000", "10,000"]
    known = empty_marts.query(
        "select count(*) as providers, sum(generations) as generations"
        " from analytics.monthly_provider_breakdown"
    )[0]
    assert rows[-1][0] == f"{known['providers'] - 15} more"
    shown = sum(int(row[1].replace(",", "")) for row in rows)
    assert shown == known["generations"]
    assert len(table.splitlines()) == known["providers"] + 1
    assert one.status == 200


def test_a_reader_without_rights_is_told_so(empty_marts: AppDatabase) -> None:
    empty_marts.execute(f"revoke select on analytics.dashboard_overview from {READER}")
    with page_of(empty_marts) as page:
        answer = page.get()
        assert answer.status == 503
        assert "may not read analytics.dashboard_overview" in sentence(answer.text)
        assert "`" not in sentence(answer.text)
        empty_marts.execute(f"revoke usage on schema analytics from {READER}")
        assert "permission denied for schema analytics" in sentence(page.get().text)
        empty_marts.execute(f"grant usage on schema analytics to {READER}")
        empty_marts.execute(f"grant select on all tables in schema analytics to {READER}")
        assert page.get().status == 200


def test_a_missing_mart_costs_its_own_part_only(empty_marts: AppDatabase) -> None:
    empty_marts.execute("drop view analytics.monthly_user_usage")
    empty_marts.execute(f"revoke select on analytics.credit_balance_reconciliation from {READER}")
    empty_marts.execute("alter table analytics.rejected_rows rename column reject_reason to reason")
    empty_marts.execute(
        "alter table analytics.fct_generations rename column error_message to message"
    )
    with page_of(empty_marts) as page:
        answer = page.get()
        file = page.get("/csv/users.csv")
    assert answer.status == 200
    shown = read_html(answer.text)
    told = " ".join(shown["notices"])
    assert file.status == 503
    assert "analytics.monthly_user_usage does not exist" in file.text
    (users,) = re.findall(r'<section aria-labelledby="users">.*?</section>', answer.text, re.DOTALL)
    assert "Not built yet." in users
    assert "may not read credit_balance_reconciliation" in told.replace("analytics.", "")
    assert "built by an older paygen" in told
    assert shown["cards"]["Usage This Month"]["value"] == "0"
    assert not TRACE.search(answer.text)


def test_marts_that_were_never_built_are_one_sentence(database: AppDatabase) -> None:
    with page_of(database, user="paygen") as page:
        answer = page.get()
        assert answer.status == 503
        assert "analytics.dashboard_overview does not exist" in sentence(answer.text)
        database.execute("drop schema analytics cascade")
        assert page.get().status == 503


def test_marts_of_an_older_build_are_read_and_said_to_be_so(empty_marts: AppDatabase) -> None:
    empty_marts.execute("alter table analytics.dashboard_overview drop column reporting_timezone")
    with page_of(empty_marts) as page:
        answer = page.get()
    assert answer.status == 200
    assert any("UTC is taken for it" in each for each in read_html(answer.text)["notices"])


def test_an_empty_overview_is_one_sentence(empty_marts: AppDatabase) -> None:
    empty_marts.execute("truncate analytics.dashboard_overview")
    with page_of(empty_marts) as page:
        assert "analytics.dashboard_overview is empty" in sentence(page.get().text)


def test_no_server_is_one_sentence(database: AppDatabase) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with page_of(database, PGHOST="127.0.0.1", PGPORT=str(port), PGPASSWORD="very-secret") as page:
        answer = page.get()
    assert answer.status == 503
    assert "PostgreSQL does not answer" in sentence(answer.text)
    assert "very-secret" not in answer.text


def test_a_wrong_database_is_one_sentence(demo_database: AppDatabase) -> None:
    with page_of(demo_database, PGDATABASE="no_such_database") as page:
        answer = page.get()
    assert 'database "no_such_database" does not exist' in sentence(answer.text)


def test_a_connection_that_was_cut_is_opened_again(demo_database: AppDatabase) -> None:
    with page_of(demo_database) as page:
        assert page.get().status == 200
        cut = demo_database.query(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'paygen dashboard' and datname = %s",
            [demo_database.name],
        )
        assert cut
        assert page.get().status == 200


def test_a_server_that_goes_away_in_mid_request_is_one_sentence(empty_marts: AppDatabase) -> None:
    """The page waits for a lock when its connection is cut; the next one is answered again."""
    with page_of(empty_marts) as page, ThreadPoolExecutor(1) as pool:
        with empty_marts.connect() as blocker, blocker.cursor() as cursor:
            blocker.autocommit = False
            cursor.execute("lock table analytics.fct_generations in access exclusive mode")
            waiting = pool.submit(page.get)
            for _ in range(200):
                found = empty_marts.query(
                    "select pid from pg_stat_activity where wait_event_type = 'Lock'"
                    " and application_name = 'paygen dashboard' and datname = %s",
                    [empty_marts.name],
                )
                if found:
                    break
                time.sleep(0.05)
            assert found
            empty_marts.execute("select pg_terminate_backend(%s)", [found[0]["pid"]])
            answer = waiting.result(30)
            blocker.rollback()
        assert answer.status == 503
        assert "PostgreSQL does not answer" in sentence(answer.text)
        assert page.get().status == 200


def test_twenty_tabs_at_once_are_all_answered(demo_database: AppDatabase) -> None:
    """A role of its own tells this page's connections from those of other tests' pages."""
    with page_of(demo_database, user="paygen") as page, ThreadPoolExecutor(20) as pool:
        months = [f"/?month=2024-{month:02}" for month in (9, 10, 11, 12)]
        paths = [*months, "/", "/?provider=wan", "/csv/days.csv", "/?month=2024-99"] * 3
        answers = list(pool.map(page.get, paths))
        connections = demo_database.query(
            "select count(*) as n from pg_stat_activity"
            " where application_name = 'paygen dashboard' and datname = %s and usename = 'paygen'",
            [demo_database.name],
        )
        assert page.memory_mib() < 80
    assert 1 <= connections[0]["n"] <= 4
    for path, answer in zip(paths, answers, strict=True):
        assert answer.status == (400 if "99" in path else 200)
        if path in months:
            month = {"09": "September", "10": "October", "11": "November", "12": "December"}
            assert read_html(answer.text)["title"] == f"{month[path[-2:]]} 2024"
        if path == "/?provider=wan":
            assert read_html(answer.text)["title"] == "December 2024, Wan"


def test_the_page_writes_nothing(demo_database: AppDatabase) -> None:
    """Even as a role that could."""
    before = demo_database.query("select pg_current_wal_insert_lsn() as lsn")
    with page_of(demo_database, user="paygen") as page:
        assert page.get().status == 200
        assert page.get("/csv/providers.csv").status == 200
        for _ in range(20):  # the page looks for a new run now and then
            states = demo_database.query(
                "select distinct state from pg_stat_activity"
                " where application_name = 'paygen dashboard' and datname = %s",
                [demo_database.name],
            )
            if [row["state"] for row in states] == ["idle"]:
                break
            time.sleep(0.05)
    assert [row["state"] for row in states] == ["idle"]
    del before


def test_a_function_of_the_same_name_is_not_called(demo_database: AppDatabase) -> None:
    """What the page calls is found in pg_catalog, whatever lies in public."""
    demo_database.execute(
        "create function public.count(text) returns bigint language sql as 'select 666::bigint';"
        f"alter role {READER} set search_path = public, pg_catalog"
    )
    try:
        with page_of(demo_database) as page:
            shown = read_html(page.get().text)
        assert "666" not in {row[5] for row in shown["tables"]["findings"][1:]}
        cells = {cell for table in shown["tables"].values() for row in table for cell in row}
        assert "666" not in cells
    finally:
        demo_database.execute(
            f"drop function public.count(text); alter role {READER} reset search_path"
        )


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return subprocess.run(
        [sys.executable, "-m", "dashboard", *arguments],
        cwd=PROJECT,
        env={**clean, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_port_in_use_is_one_sentence(demo_database: AppDatabase) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        answer = run("--no-browser", "--port", port, **environment(demo_database))
    assert answer.returncode == 1
    assert f"127.0.0.1:{port} cannot be used" in answer.stderr
    assert not TRACE.search(answer.stderr)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--port", "80000"], "'80000' is no port: name one from 0 to 65535"),
        (["--port", "-1"], "'-1' is no port"),
        (["--port", "٨٤٢١"], "'٨٤٢١' is no port"),
        (["--schema", ""], "a schema has a name, such as analytics"),
        (["--static", "/proc/pages"], "/proc cannot be written"),
        (["--static", "/dev/null"], "/dev/null is no folder"),
    ],
)
def test_options_that_cannot_be_are_one_sentence(
    options: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PGHOST", "/nowhere")
    try:
        code = main(["--no-browser", *options])
    except SystemExit as end:  # argparse's
        code = end.code
    told = capsys.readouterr().err
    assert code
    assert said in told
    assert not TRACE.search(told)


def test_ctrl_c_ends_it_quietly(demo_database: AppDatabase) -> None:
    with page_of(demo_database) as page:
        page.process.send_signal(signal.SIGINT)
        page.process.wait(20)
        assert not TRACE.search(page.process.stderr.read())


@pytest.mark.long
def test_a_mart_that_is_locked_for_long_is_given_up(empty_marts: AppDatabase) -> None:
    with page_of(empty_marts) as page, empty_marts.connect() as blocker, blocker.cursor() as cursor:
        blocker.autocommit = False
        cursor.execute("lock table analytics.rejected_rows in access exclusive mode")
        answer = page.get()
        blocker.rollback()
        again = page.get()
    assert answer.status == 200
    assert any("took too long to read" in each for each in read_html(answer.text)["notices"])
    assert not any("too long to read" in each for each in read_html(again.text)["notices"])
