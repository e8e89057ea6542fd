"""The page over the demo's history."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver

from local_postgres import server as embedded
from tests.app_database import AppDatabase
from tests.conftest import make_database
from tests.dashboard import browsing
from tests.dashboard.databases import build, keep_as, load_demo, marts_without_rows
from tests.dashboard.serving import Page, page_of, write_files


@pytest.fixture(scope="session")
def demo_database(server: embedded.Server) -> AppDatabase:
    """The demo's history with all its marts, those of Python models too; to be read only."""
    database = make_database(server)
    load_demo(database, 1)
    build(database, python_models=True)
    # As a build with `monthly_budget_usd: 30` would; that of Python models is fixed when parsed.
    database.execute(
        "update analytics.cost_forecast"
        " set monthly_budget_usd = 30, budget_passed_on = '2024-12-17', probability_over_budget = 1"
        " where provider = 'all'"
    )
    return keep_as(database, "page")


@pytest.fixture
def empty_marts(server: embedded.Server) -> AppDatabase:
    """The marts of an app without a row, to be spoiled."""
    return marts_without_rows(server)


@pytest.fixture(scope="session")
def demo_page(demo_database: AppDatabase) -> Iterator[Page]:
    """The page over the demo's history."""
    with page_of(demo_database) as page:
        yield page


@pytest.fixture(scope="session")
def demo_files(demo_database: AppDatabase, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page over the demo's history as files, alone in their folder."""
    folder = tmp_path_factory.mktemp("files") / "pages"
    answer = write_files(demo_database, folder)
    assert answer.returncode == 0, answer.stderr
    return folder


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome | None]:
    """Chromium; None where there is none."""
    if not browsing.IS_HERE:
        yield None
        return
    with browsing.start(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver
