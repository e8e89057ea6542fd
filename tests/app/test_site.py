"""The route and the component, built by Next and served, over real marts and in a real browser.

Long: npm installs and Next builds. Skipped where there is no npm, or no Chromium.
"""

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

from local_postgres.server import Server
from tests import sample
from tests.app import next_server, supabase
from tests.app.figures import expected_stats
from tests.app.next_server import Build, Site, serve
from tests.app.supabase import Supabase
from tests.app_database import PROJECT, AppDatabase
from tests.conftest import make_database
from tests.dashboard import browsing
from tests.dashboard.databases import HISTORIES, build, keep_as
from tests.dashboard.test_browser import axe, violations

PICTURES = PROJECT / "target" / "app"
ADMIN = "Bearer token-of-root"

pytestmark = pytest.mark.long
__all__ = ["axe"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The application, built with the shell of tests/app/shell."""
    return next_server.build(tmp_path_factory.mktemp("next"))


@pytest.fixture(scope="module")
def accounts(built: Build) -> Iterator[Supabase]:
    """Who is an administrator."""
    with supabase.running(built.supabase_port) as running:
        yield running


@pytest.fixture(scope="module")
def demo(server: Server, built: Build) -> AppDatabase:
    """The demo's history with its marts."""
    database = make_database(server)
    HISTORIES["seed 2"](database)
    return keep_as(build(database), "app")


@pytest.fixture(scope="module")
def site(built: Build, accounts: Supabase, demo: AppDatabase) -> Iterator[Site]:
    """The application over the demo's marts."""
    with serve(built, demo) as running:
        yield running


def test_the_route_answers_what_the_marts_say(site: Site, demo: AppDatabase) -> None:
    answer = site.get_stats()
    assert (answer.status, answer.cache_control) == (200, "no-store")
    assert answer.body == expected_stats(demo)
    assert answer.body["generationsThisMonth"] > 100


@pytest.mark.skipif(not sample.FOLDER.is_dir(), reason=f"the sample is not at {sample.FOLDER}")
def test_the_sample_by_the_route(built: Build, accounts: Supabase, database: AppDatabase) -> None:
    """Figures of the contract's answers, all the way to the JSON."""
    HISTORIES["sample"](database)
    build(database, as_of=sample.AS_OF.isoformat())
    expected = sample.expected()
    month = expected["months"][max(expected["months"])]
    with serve(built, database) as site:
        stats = site.get_stats().body
    assert stats == expected_stats(database)
    assert stats["usersWithCredits"] == expected["users_with_credits"]
    assert stats["totalCreditsInCirculation"] == expected["total_credits_in_circulation"]
    assert stats["monthStats"]["generations"] == month["generations"]
    assert stats["refundsThisMonth"] == month["refunds_issued"]


@pytest.mark.parametrize("user", ["root", "capital", "several"])
def test_administrators_are_let_in(site: Site, user: str) -> None:
    assert site.get_stats(f"Bearer token-of-{user}").status == 200


@pytest.mark.parametrize(
    "token",
    [
        *(None, "", "Bearer", "Bearer ", "token-of-root", "Basic token-of-root"),
        *("Bearer forged", "Bearer token-of-root x", "Bearer token-of-stranger"),
        *("Bearer token-of-user", "Bearer token-of-near", "Bearer token-of-none"),
    ],
)
def test_nobody_else_is(site: Site, token: str | None) -> None:
    answer = site.get_stats(token)
    assert (answer.status, answer.body) == (401, {"error": "Unauthorized"})


def test_who_asks_is_checked_before_anything_is_read(built: Build, accounts: Supabase) -> None:
    """Where no database is set, a user learns nothing of it; an administrator a sentence."""
    with serve(built, None) as site:
        assert site.get_stats("Bearer token-of-user").status == 401
        accounts.asked.clear()
        answer = site.get_stats()
    assert answer.status == 500
    assert answer.body == {"error": "ANALYTICS_DATABASE_URL is not set on the server."}
    assert {token for _, token in accounts.asked} == {ADMIN}, "the profile is read as its user"


def test_a_sentence_where_accounts_cannot_be_read(site: Site, accounts: Supabase) -> None:
    accounts.is_down = True
    try:
        answer = site.get_stats()
    finally:
        accounts.is_down = False
    assert answer.status == 500
    assert answer.body["error"].startswith("Who is asking cannot be checked now")


def test_a_sentence_for_each_trouble_of_the_marts(
    built: Build, accounts: Supabase, database: AppDatabase
) -> None:
    build(database)
    database.execute("drop role if exists app_stranger; create role app_stranger login")
    troubles = {
        "add it to reader_roles": {"user": "app_stranger"},
        "refuses this route's role": {"user": "nobody_at_all"},
        "try again in a moment": {"PGPORT": "1"},
    }
    database.execute("grant usage on schema analytics to app_stranger")
    for words, setting in troubles.items():
        with serve(built, database, **setting) as site:
            answer = site.get_stats()
            assert answer.status == 500
            assert words in answer.body["error"]
    with serve(built, database) as site:
        database.execute("delete from analytics.dashboard_stats")
        assert "has no row" in site.get_stats().body["error"]
        database.execute("drop table analytics.dashboard_stats")
        assert "is missing" in site.get_stats().body["error"]
    database.execute("drop owned by app_stranger; drop role app_stranger")


def test_a_connection_that_breaks_is_made_anew(site: Site, demo: AppDatabase) -> None:
    assert site.get_stats().status == 200
    demo.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and usename = 'paygen_reader'"
    )
    statuses = [site.get_stats().status for _ in range(3)]
    assert statuses[-1] == 200


def test_twenty_at_once_share_two_connections(site: Site, demo: AppDatabase) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: site.get_stats(), range(60)))
    assert {answer.status for answer in answers} == {200}
    assert all(answer.body == answers[0].body for answer in answers)
    (row,) = demo.query(
        "select count(*) as connections from pg_stat_activity"
        " where datname = current_database() and usename = 'paygen_reader'"
    )
    assert row["connections"] <= 2


# ------------------------------------------------------------------------------------ the browser


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Chromium."""
    if not browsing.IS_HERE:
        pytest.skip("no Chromium: apt-get install chromium chromium-driver")
    with browsing.start(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


def open_as(browser: webdriver.Chrome, site: Site, user: str | None) -> dict:
    """Open the dashboard as supabase-js would after a login, and read what it shows."""
    session = {
        "access_token": f"token-of-{user}",
        "refresh_token": "none",
        "token_type": "bearer",
        "expires_in": 3600,
        "expires_at": 4102444800,
        "user": {"id": user},
    }
    browser.get(site.address)
    browser.execute_script("localStorage.clear()")
    if user:
        browser.execute_script(
            "localStorage.setItem('sb-127-auth-token', arguments[0])", json.dumps(session)
        )
    browser.get_log("performance")
    browser.get(site.address)
    WebDriverWait(browser, 30).until(
        lambda driver: driver.execute_script(
            "return document.querySelector('article, [role=alert]') !== null"
        )
    )
    return browser.execute_script(
        """
        const text = node => node.textContent.trim().replace(/\\s+/g, ' ');
        const cards = {}, tables = {};
        for (const card of document.querySelectorAll('article')) cards[card.id] =
            [...card.querySelector('div').childNodes].filter(each => each.nodeName === '#text')
                .map(each => each.textContent).join('');
        for (const table of document.querySelectorAll('table')) tables[table.id] =
            [...table.tBodies[0].rows].map(row => [...row.cells].map(text));
        return {cards, tables, alerts: [...document.querySelectorAll('[role=alert]')].map(text)
            .filter(each => each)};
        """
    )


def requests_of(browser: webdriver.Chrome) -> list[dict]:
    """The requests that the page has made since it was opened."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [
        message["params"]["request"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]


def keep_picture(browser: webdriver.Chrome, name: str) -> None:
    """Save what the whole page looks like."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    picture = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
    Path(PICTURES / f"{name}.png").write_bytes(base64.b64decode(picture["data"]))


def percent(value: float | None) -> str:
    return "N/A" if value is None else f"{value:.2f}%"


def test_the_figures_in_the_browser(
    browser: webdriver.Chrome, site: Site, demo: AppDatabase, axe: str
) -> None:
    stats = expected_stats(demo)
    shown = open_as(browser, site, "root")
    month = stats["monthStats"]
    assert shown["alerts"] == []
    assert shown["cards"] == {
        "usage": f"{month['generations']:,} generations",
        "success": percent(month["successRate"]),
        "cost": f"${month['cost']:,.2f}",
        "users": f"{stats['usersWithCredits']:,} users with credits",
        "failure": percent(month["failureRate"]),
        "refunds": f"{stats['refundsThisMonth']:,}",
    }
    assert [row[:6] for row in shown["tables"]["providers"]] == [
        [
            each["name"],
            f"{each['totalCalls']:,}",
            f"{each['successful']:,}",
            f"{each['failed']:,}",
            percent(each["successRate"]),
            f"${each['totalCost']:,.2f}",
        ]
        for each in stats["providers"]
    ]
    assert [row[3] for row in shown["tables"]["failures"]] == [
        each["id"] for each in stats["recentFailures"]
    ]
    assert {row[0]: row[1] for row in shown["tables"]["tiers"]} == {
        name: f"{tier['count']:,.0f}" for name, tier in stats["userStats"]["creditsByTier"].items()
    }
    keep_picture(browser, "demo")
    assert violations(browser, axe) == []


def test_the_browser_calls_one_route_with_the_token(browser: webdriver.Chrome, site: Site) -> None:
    open_as(browser, site, "root")
    requests = requests_of(browser)
    assert all(each["url"].startswith((site.address, "data:")) for each in requests), (
        "a request leaves the site"
    )
    calls = [each for each in requests if "/api/" in each["url"]]
    assert {each["url"] for each in calls} == {f"{site.address}/api/admin/credit-stats"}
    assert {each["headers"]["Authorization"] for each in calls} == {ADMIN}


@pytest.mark.parametrize(
    ("user", "sentence"),
    [
        (None, "Sign in as an administrator to see the figures."),
        ("user", "Only administrators may see the figures."),
    ],
)
def test_others_see_a_sentence(
    browser: webdriver.Chrome, site: Site, user: str | None, sentence: str
) -> None:
    shown = open_as(browser, site, user)
    assert shown == {"cards": {}, "tables": {}, "alerts": [sentence]}


def test_the_zero_state(
    browser: webdriver.Chrome, built: Build, accounts: Supabase, database: AppDatabase, axe: str
) -> None:
    """What the clean-up plan asks of an app without data."""
    build(database)
    with serve(built, database) as site:
        shown = open_as(browser, site, "root")
        keep_picture(browser, "empty")
        assert violations(browser, axe) == []
    assert shown["cards"] == {
        "usage": "0 generations",
        "success": "N/A (no data yet)",
        "cost": "$0.00",
        "users": "0 users with credits",
        "failure": "N/A (no data yet)",
        "refunds": "0",
    }
    assert {tuple(row[1:6]) for row in shown["tables"]["providers"]} == {
        ("0", "0", "0", "N/A", "$0.00")
    }


def test_last_figures_stay_when_the_server_goes(
    browser: webdriver.Chrome, built: Build, accounts: Supabase, demo: AppDatabase
) -> None:
    with serve(built, demo) as site:
        before = open_as(browser, site, "root")
    browser.execute_script("document.querySelector('button').click()")
    WebDriverWait(browser, 30).until(
        lambda driver: "cannot be reached" in driver.find_element("tag name", "body").text
    )
    assert browser.find_element("id", "usage").text.splitlines()[1] == before["cards"]["usage"]
