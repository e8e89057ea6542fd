"""How quickly the page is there, how large it is, and what it holds of memory."""

import gzip
import time

from tests.app_database import AppDatabase
from tests.dashboard.serving import page_of


def test_first_text_is_quick_and_small(demo_database: AppDatabase) -> None:
    with page_of(demo_database) as page:
        assert page.get().status == 200
        times = []
        for _ in range(20):
            started = time.monotonic()
            answer = page.get()
            times.append(time.monotonic() - started)
        size = len(answer.text.encode())
        packed = page.get("/", **{"Accept-Encoding": "identity"}).text.encode()
        memory = page.memory_mib()
    print(
        f"warm page: median {sorted(times)[10] * 1000:.0f} ms, {size / 1024:.0f} KiB,"
        f" {len(gzip.compress(packed)) / 1024:.0f} KiB packed; process {memory:.0f} MiB"
    )
    assert sorted(times)[18] <= 0.3
    assert size <= 100 * 1024
    assert memory <= 80
