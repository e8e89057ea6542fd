"""Debian's Chromium without a screen, and when a page's figures are in its DOM."""

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    # Names of other machines do not resolve: no page can ask for anything from outside.
    *("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--window-size=1280,900"),
)
TIMEOUT_SECONDS = 120

# What our page shows: the headline's cards, and all cells of its tables in their order.
READ_TEXTS = """
const texts = selector => [...document.querySelectorAll(selector)]
    .map(element => element.textContent.trim()).filter(text => text);
return {
    headline: texts('.cards .card h3, .cards .card .figure data'),
    tables: texts('.table th, .table td'),
};
"""

# Set before a page's own first line, it notes when the last of the texts has come into the DOM.
WATCH = """
(() => {
    const wanted = %s;
    const found = window.benchFound = {};
    const places = {};
    const look = () => {
        const text = document.body ? document.body.textContent : '';
        for (const [name, texts] of Object.entries(wanted)) {
            let place = places[name] || 0;
            while (place < texts.length && text.includes(texts[place])) place += 1;
            places[name] = place;
            if (place === texts.length && !(name in found)) found[name] = performance.now();
        }
        if (Object.keys(found).length === Object.keys(wanted).length) observer.disconnect();
    };
    const observer = new MutationObserver(look);
    observer.observe(document, {childList: true, subtree: true, characterData: true});
    window.benchMissing = () => Object.entries(wanted)
        .filter(([name]) => !(name in found)).map(([name, texts]) => texts[places[name] || 0]);
})();
"""


@dataclass(frozen=True)
class Visit:
    """Seconds from the address to the headline's figures, and to those of all tables."""

    headline_seconds: float
    tables_seconds: float


class Browser:
    """A browser that watches each page it opens for the same texts."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self._driver = driver

    def watch_for_texts_of(self, address: str) -> None:
        """From now on, watch for what this page shows."""
        self._driver.get(address)
        texts = self._driver.execute_script(READ_TEXTS)
        if not texts["headline"] or not texts["tables"]:
            raise RuntimeError(f"{address} shows no figures in Chromium")
        self._driver.execute_cdp_cmd(
            "Page.addScriptToEvaluateOnNewDocument", {"source": WATCH % json.dumps(texts)}
        )

    def visit(self, address: str) -> Visit:
        """Open an address and wait for the texts.

        Raises:
            RuntimeError: they do not come.
        """
        self._driver.get("about:blank")
        self._driver.get(address)
        until = time.monotonic() + TIMEOUT_SECONDS
        while time.monotonic() < until:
            found = self._driver.execute_script("return window.benchFound")
            if found and len(found) == 2:
                return Visit(found["headline"] / 1000, found["tables"] / 1000)
            time.sleep(0.1)
        missing = self._driver.execute_script("return window.benchMissing()")
        raise RuntimeError(f"{address} does not show {missing} in {TIMEOUT_SECONDS} seconds")


@contextmanager
def start() -> Iterator[Browser]:
    """A browser with an empty profile, until the block ends.

    Raises:
        RuntimeError: there is no Chromium.
    """
    if not (CHROMIUM and DRIVER):
        raise RuntimeError("no Chromium here: apt-get install chromium chromium-driver")
    with tempfile.TemporaryDirectory(prefix="paygen-chromium-") as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        driver = webdriver.Chrome(options=options, service=Service(DRIVER))
        try:
            yield Browser(driver)
        finally:
            driver.quit()
