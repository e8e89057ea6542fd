"""The demo's commands, in a clone whose path has blanks."""

import shutil
from pathlib import Path

import pytest

from tests.app_database import PROJECT
from tests.dashboard import browsing
from tests.sample import FOLDER
from tests.setup.test_your_own_database import run


@pytest.mark.long
def test_the_demo_as_the_readme_has_it(clone: Path) -> None:
    """Twice in a row, larger, from files; then what the documents do with it."""
    home = {"HOME": str(clone.parent)}
    try:
        first = run(clone, "make demo GENERATIONS=2000 MONTHS=2", **home)
        assert "This month" in first
        assert "warning" not in first.lower()
        assert "This month" in run(clone, "make demo")
        assert "This month" in run(clone, "make demo GENERATIONS=100000 MONTHS=12")
        run(clone, "make dashboard STATIC=folder", **home)
        assert (clone / "folder" / "index.html").exists()
        shutil.rmtree(clone / "folder")
        # It serves until it is interrupted.
        served = run(clone, "timeout --signal=INT 60 make dashboard || true", **home)
        assert "http://127.0.0.1:" in served
        run(clone, "make docs")
        assert (clone / "target" / "static_index.html").exists()
        superuser = {"PGHOST": str(clone / ".demo" / "server"), "PGUSER": "postgres"}
        run(clone, "make backup FILE=pool.dump", PGDATABASE="app", **superuser)
        assert "--generations" in run(clone, ".tools/bin/uv run --frozen python -m demo run --help")
        shutil.copytree(FOLDER, clone / "folder")
        assert "This month" in run(clone, "make demo FROM_CSV=folder")
        run(clone, "make export MONTH=2024-11", **home)
        assert (clone / "exports" / "2024-11" / "manifest.json").exists()
        assert "stopped" in run(clone, "make demo-stop")
    finally:
        run(clone, "make clean")
    assert not (clone / ".demo").exists()
    assert (PROJECT / "demo").exists()


@pytest.mark.long
def test_the_bench_at_a_small_scale(clone: Path) -> None:
    """As its README has it but for the scale: 1 and 10 million generations take an hour."""
    results = clone / "bench" / "results"
    before = (results / "bench.csv").read_text()
    run(clone, "make bench SCALE=5000")
    assert (results / "bench.csv").read_text() != before
    assert "--scale" in run(
        clone, ".tools/bin/uv run --frozen --group bench python -m bench --help"
    )


@pytest.mark.long
def test_the_bench_of_the_scheduler_at_a_small_scale(clone: Path) -> None:
    """As its README has it but for the scale, and with 2 runs instead of 200."""
    command = ".tools/bin/uv run --frozen --group bench --group scheduler python -m bench.resident"
    said = run(clone, f"{command} --scale 2000 --changes 20 --rounds 1 --runs 2 --output out.md")
    assert "| scheduler / new process | 0." in said
    assert (clone / "out.md").read_text() in said


@pytest.mark.long
def test_the_bench_of_finance_at_a_small_scale(clone: Path) -> None:
    """As its README has it but for the scale; twice on one database, which begins anew."""
    command = (
        ".tools/bin/uv run --frozen --group bench python -m bench.finance --folder finance-folder"
        " --scale 200000 --changes 20 --rounds 1 --lines 1000 --output out.md"
    )
    for _ in range(2):
        said = run(clone, command)
        assert " generations / full rebuild | 0." in said
        assert "| matching the newest lines / full rebuild | 0." in said
        assert (clone / "out.md").read_text() in said


@pytest.mark.long
@pytest.mark.skipif(not browsing.IS_HERE, reason="no Chromium: apt-get install chromium-driver")
def test_the_bench_of_the_page_at_a_small_scale(clone: Path) -> None:
    """A folder's server is made once and found again."""
    command = (
        ".tools/bin/uv run --frozen --group bench-page python -m bench.page --folder bench-folder"
        " --scale 5000 --rounds 1 --idle 5 --output page.md"
    )
    assert "written to page.md" in run(clone, f"{command} --runs 1")
    results = (clone / "page.md").read_text()
    assert "| 20 people, errors in " in results
    assert "Streamlit / paygen" in results
    (clone / "page.md").unlink()
    assert "not 9,000" in run(clone, f"{command} --scale 9000 2>&1 || true")
    assert not (clone / "page.md").exists()
    assert not (clone / "bench-folder" / "server" / "postmaster.pid").exists()
