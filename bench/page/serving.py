"""The page and its rival, each as a process of its own, and what they hold of memory."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from local_postgres.databases import PROJECT

STREAMLIT_PAGE = Path(__file__).with_name("streamlit_page.py")
START_SECONDS = 60


@dataclass(frozen=True)
class Served:
    """A page that is served: its address, without a slash at its end, and its process."""

    address: str
    process: psutil.Process

    def memory_mib(self) -> tuple[float, float]:
        """What the process and its children hold now: proportional share, and resident set."""
        processes = [self.process, *self.process.children(recursive=True)]
        memory = [process.memory_full_info() for process in processes]
        return (
            sum(each.pss for each in memory) / 2**20,
            sum(each.rss for each in memory) / 2**20,
        )


@contextmanager
def our_page(environment: dict[str, str]) -> Iterator[Served]:
    """`python -m dashboard` on a free port.

    Raises:
        RuntimeError: it does not start.
    """
    command = [sys.executable, "-m", "dashboard", "--no-browser", "--port", "0"]
    with _process(command, environment) as process:
        line = process.stdout.readline()
        if "http://" not in line:
            raise RuntimeError(f"the page does not start: {process.stderr.read()[-1000:]}")
        address = line.split("at ")[1].split(",")[0].rstrip("/")
        yield Served(address, psutil.Process(process.pid))


@contextmanager
def streamlit_page(environment: dict[str, str]) -> Iterator[Served]:
    """The same figures by Streamlit, on a free port of this machine only.

    Raises:
        RuntimeError: it does not start.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        *(sys.executable, "-m", "streamlit", "run", str(STREAMLIT_PAGE)),
        *("--server.headless", "true", "--server.address", "127.0.0.1"),
        *("--server.port", str(port), "--server.fileWatcherType", "none"),
        *("--browser.gatherUsageStats", "false", "--client.toolbarMode", "minimal"),
        *("--global.developmentMode", "false", "--logger.level", "error"),
    ]
    address = f"http://127.0.0.1:{port}"
    with _process(command, {**environment, "PYTHONPATH": str(PROJECT)}) as process:
        until = time.monotonic() + START_SECONDS
        while not _answers(f"{address}/_stcore/health"):
            if process.poll() is not None or time.monotonic() > until:
                process.kill()
                raise RuntimeError(f"Streamlit does not start: {process.stderr.read()[-1000:]}")
            time.sleep(0.2)
        yield Served(address, psutil.Process(process.pid))


@contextmanager
def _process(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command,
        cwd=PROJECT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
        process.stderr.close()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False
