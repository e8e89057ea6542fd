"""The page in Debian's Chromium: figures in the DOM, screenshots, keyboard, accessibility.

Skipped where there is no Chromium (`apt-get install chromium chromium-driver`).
"""

import base64
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from dashboard import queries
from local_postgres.server import Server
from tests.app_database import PROJECT, AppDatabase
from tests.closing.record import operate
from tests.closing.test_closing import change_october
from tests.conftest import make_database
from tests.dashboard import browsing
from tests.dashboard.databases import AS_OF, build, load_demo
from tests.dashboard.reading import READ_DOM, read_html
from tests.dashboard.serving import Page, let_read, page_of, write_files

PICTURES = PROJECT / "target" / "dashboard"
LOOKS = [("light", 1280, "light"), ("dark", 1280, "dark"), ("phone", 390, "light")]
OF_A_CLOSE = ["closed_figures", "restatements", "closes"]

pytestmark = pytest.mark.skipif(
    not browsing.IS_HERE, reason="no Chromium: apt-get install chromium chromium-driver"
)


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core, installed from npm by its lock."""
    npm = shutil.which("npm")
    if not npm:
        pytest.skip("no npm: axe-core cannot be installed")
    folder = tmp_path_factory.mktemp("axe")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(Path(__file__).with_name(name), folder)
    installed = subprocess.run(
        [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if installed.returncode:
        pytest.skip(f"axe-core cannot be installed: {installed.stderr[-300:]}")
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text()


def look(browser: webdriver.Chrome, width: int = 1280, scheme: str = "light") -> None:
    """Set the window's width and the colours that its user prefers."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"media": "", "features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )


def take_picture(browser: webdriver.Chrome, name: str, width: int) -> Path:
    """The whole page as a PNG under target/dashboard/."""
    height = browser.execute_script("return document.documentElement.scrollHeight")
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    data = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"]
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = PICTURES / f"{name}.png"
    path.write_bytes(base64.b64decode(data))
    look(browser, width)
    return path


def violations(browser: webdriver.Chrome, axe: str) -> list[str]:
    """What axe finds, each with the elements that it finds it at."""
    browser.execute_script(axe)
    found = browser.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "axe.run(document, {resultTypes: ['violations']}).then(done)"
    )
    return [
        f"{each['id']}: {each['help']}: {[node['target'] for node in each['nodes']][:3]}"
        for each in found["violations"]
    ]


@pytest.mark.parametrize("path", ["/", "/?month=2024-10", "/?provider=seedream&type=image_gen"])
def test_the_dom_says_what_the_html_says(
    browser: webdriver.Chrome, demo_page: Page, path: str
) -> None:
    """tests/dashboard/test_figures.py compares the same reading with SQL."""
    look(browser)
    browser.get(demo_page.address + path)
    assert browser.execute_script(READ_DOM) == read_html(demo_page.get(path).text)


@pytest.mark.parametrize(("name", "width", "scheme"), LOOKS)
def test_pictures_and_accessibility(
    browser: webdriver.Chrome, demo_page: Page, axe: str, name: str, width: int, scheme: str
) -> None:
    look(browser, width, scheme)
    browser.get(demo_page.address)
    wide = browser.execute_script("return document.documentElement.scrollWidth")
    assert wide <= width, "the page itself scrolls sideways"
    assert violations(browser, axe) == []
    assert take_picture(browser, name, width).stat().st_size > 50_000
    cell = browser.find_element(By.CSS_SELECTOR, "#table-providers a[href^=explain]")
    browser.get(cell.get_attribute("href"))
    wide = browser.execute_script("return document.documentElement.scrollWidth")
    assert wide <= width, "the explanation scrolls sideways"
    assert violations(browser, axe) == []
    take_picture(browser, f"explanation_{name}", width)


def test_the_empty_page(browser: webdriver.Chrome, empty_marts: AppDatabase, axe: str) -> None:
    with page_of(empty_marts) as page:
        look(browser)
        browser.get(page.address)
        assert violations(browser, axe) == []
        shown = browser.execute_script(READ_DOM)
        assert shown["cards"]["Success Rate"]["value"] == "N/A"
        take_picture(browser, "empty", 1280)
        browser.get(page.address + "/?month=1999-01")
        assert violations(browser, axe) == []
        take_picture(browser, "sentence", 1280)


def test_print(browser: webdriver.Chrome, demo_page: Page) -> None:
    look(browser)
    browser.get(demo_page.address)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not browser.find_element(By.TAG_NAME, "form").is_displayed()
    take_picture(browser, "print", 794)
    answer = browser.execute_cdp_cmd(
        "Page.printToPDF", {"paperWidth": 8.27, "paperHeight": 11.69, "printBackground": False}
    )
    document = base64.b64decode(answer["data"])
    (PICTURES / "print.pdf").write_bytes(document)
    assert document.startswith(b"%PDF")
    look(browser)


def test_the_keyboard_reaches_everything(browser: webdriver.Chrome, demo_page: Page) -> None:
    look(browser)
    browser.get(demo_page.address)
    body = browser.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.TAB)
    assert browser.switch_to.active_element.text == "To the figures"
    wanted = browser.execute_script(
        "return document.querySelectorAll('a, select, input, button, [tabindex]').length"
    )
    # The page is asked once what its keys reached: a request for each of them would be dear.
    browser.execute_script(
        "window.reached = new Set([document.activeElement]);"
        "document.addEventListener('focusin', event => window.reached.add(event.target))"
    )
    browser.switch_to.active_element.send_keys(Keys.TAB * (wanted + 5))
    assert browser.execute_script("return window.reached.size") >= wanted


def test_the_form_sets_the_address(browser: webdriver.Chrome, demo_page: Page) -> None:
    look(browser)
    browser.get(demo_page.address)
    browser.find_element(By.NAME, "provider").send_keys("seedream", Keys.ENTER)
    WebDriverWait(browser, 10).until(lambda _: "provider=seedream" in browser.current_url)
    assert browser.find_element(By.TAG_NAME, "h1").text == "December 2024, Seedream"
    browser.find_element(By.LINK_TEXT, "All providers and types").click()
    assert browser.find_element(By.TAG_NAME, "h1").text == "December 2024"


def test_without_script_it_is_the_same(browser: webdriver.Chrome, demo_page: Page) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(demo_page.address)
        html = browser.page_source
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert read_html(html) == read_html(demo_page.get().text)


def test_one_request_and_none_leaves_the_machine(
    browser: webdriver.Chrome, demo_page: Page
) -> None:
    look(browser)
    browser.get("about:blank")
    browser.get_log("performance")
    browser.get_log("browser")
    browser.get(demo_page.address)
    messages = [json.loads(each["message"])["message"] for each in browser.get_log("performance")]
    asked = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    assert [url for url in asked if not url.startswith("data:")] == [demo_page.address + "/"]
    assert [each for each in browser.get_log("browser") if each["level"] == "SEVERE"] == []


def test_files_open_without_a_server(browser: webdriver.Chrome, demo_files: Path) -> None:
    browser.get(f"file://{demo_files}/index.html")
    shown = browser.execute_script(READ_DOM)
    assert shown["title"] == "December 2024"
    browser.find_element(By.LINK_TEXT, "Seedream").click()
    assert browser.find_element(By.TAG_NAME, "h1").text == "December 2024, Seedream"


@pytest.mark.long
def test_a_closed_month(
    browser: webdriver.Chrome, server: Server, axe: str, tmp_path: Path
) -> None:
    """Signed with markup and restated: read by eye, by keyboard and by machine, and as files."""
    database = make_database(server)
    load_demo(database, 1, generations=400)
    build(database, reports=True)
    reason = "<b>agreed</b> & `signed` " + "long" * 110
    for month in ("2024-09", "2024-10"):
        operate(database, "close_month", month=month, by="Ann <i>O'Neil</i>", reason=reason)
    change_october(database)
    variables = {"as_of": AS_OF.isoformat(), "lookback_days": 70}
    database.dbt("build", "--selector", "frequent", variables=variables)
    with page_of(let_read(database)) as page:
        address = "/?month=2024-10"
        for name, width, scheme in LOOKS:
            look(browser, width, scheme)
            browser.get(page.address + address)
            assert browser.execute_script("return document.documentElement.scrollWidth") <= width
            assert violations(browser, axe) == []
            take_picture(browser, f"closed_{name}", width)
        shown = browser.execute_script(READ_DOM)
        assert shown == read_html(page.get(address).text)
        section = browser.find_element(By.CSS_SELECTOR, "section[aria-labelledby=closes]")
        assert "signed by Ann <i>O'Neil</i> (<b>agreed</b> & signed long" in section.text
        regions = section.find_elements(By.CSS_SELECTOR, "[role=region][tabindex='0']")
        names = [region.get_attribute("aria-label") for region in regions]
        assert names == [f"{queries.TABLES[each].title}, table" for each in OF_A_CLOSE]
        assert write_files(database, tmp_path / "pages").returncode == 0
        written = read_html((tmp_path / "pages" / "month-2024-10.html").read_text())
        for name in OF_A_CLOSE:
            assert written["tables"][name] == shown["tables"][name]
            file = tmp_path / "pages" / "csv" / "month-2024-10" / f"{name}.csv"
            assert file.read_bytes().decode() == page.get(f"/csv/{name}.csv{address[1:]}").text
