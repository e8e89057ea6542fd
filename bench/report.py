"""Write measurements as a table (.csv, .md) and a picture (.svg)."""

import csv
import os
import platform
from dataclasses import asdict
from pathlib import Path

import matplotlib.pyplot as plt

from bench.measure import Measurement
from bench.workload import Result, medians

Costs = dict[tuple[int, bool, str, str], Measurement]


def write(results: list[Result], folder: Path, changes: int) -> None:
    """Write `bench.csv` (every round), `bench.md` (ratios, medians) and `bench.svg` to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    costs = medians(results)
    _write_rounds(results, folder / "bench.csv")
    (folder / "bench.md").write_text("\n".join(_page(costs, changes)) + "\n")
    _draw(costs, folder / "bench.svg")


def _write_rounds(results: list[Result], path: Path) -> None:
    rows = [{**asdict(result), **asdict(result.cost)} for result in results]
    for row in rows:
        del row["cost"]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def _page(costs: Costs, changes: int) -> list[str]:
    return [
        "# What runs cost",
        "",
        f"{machine()}; {embedded_server()}. {changes:,} new and changed rows before each scheduled "
        "run. Medians of all rounds of one run; every round is in `bench.csv`. Database time: "
        "`active_time` of pg_stat_database, summed over sessions.",
        "",
        "![Growth with history](bench.svg)",
        "",
        "## Ratios",
        "| what | measured | wanted |",
        "|---|---|---|",
        *(f"| {what} | {value} | {wanted} |" for what, value, wanted in _ratios(costs)),
        "",
        "## Medians",
        "| generations | source indexes | work | subject | wall s | database s | server CPU s "
        "| client CPU s | server peak MiB | client peak MiB |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *(_row(key, cost) for key, cost in costs.items()),
    ]


def _ratios(costs: Costs) -> list[tuple[str, str, str]]:
    scale = max(key[0] for key in costs)

    def database(
        work: str, subject: str = "paygen", of: int = scale, indexes: bool = True
    ) -> float:
        return costs[of, indexes, work, subject].database_seconds

    def night(subject: str) -> float:
        return costs[scale, True, "nightly run", subject].wall_seconds

    rows = [
        (
            f"full rebuild / scheduled run, {state} source indexes",
            f"{database('full rebuild', indexes=on) / database('scheduled run', indexes=on):.1f}",
            "≥ 50 at 10 M" if on else "",
        )
        for state, on in (("with", True), ("without", False))
    ]
    wall = {
        subject: costs[scale, True, "nothing new", subject].wall_seconds
        for subject in ("paygen", "empty project")
    }
    rows += [
        (
            "refresh of materialized views / scheduled run",
            f"{database('scheduled run', 'matviews') / database('scheduled run'):.1f}",
            "≥ 20 at 10 M",
        ),
        (
            f"scheduled run, {scale:,} / {scale // 10:,} generations of history",
            f"{database('scheduled run') / database('scheduled run', of=scale // 10):.2f}",
            "≤ 1.3",
        ),
        (
            "full rebuild / hand-written script",
            f"{database('full rebuild') / database('full rebuild', 'script'):.2f}",
            "≤ 1.25 at 10 M",
        ),
        (
            "client memory of a full rebuild, MiB",
            f"{costs[scale, True, 'full rebuild', 'paygen'].client_peak_mib:.0f}",
            "< 300",
        ),
        (
            "nothing new: wall time over an empty project, s",
            f"{wall['paygen'] - wall['empty project']:.2f}",
            "≤ 1",
        ),
        (
            "nightly run, an account of 50 rows gone / nothing to repair",
            f"{night('an account gone') / night('nothing to repair'):.2f}",
            "≤ 1.3",
        ),
    ]
    for work in (key[2] for key in costs if key[2].startswith("query") and key[3] == "paygen"):
        mart, raw = (costs[scale, True, work, s].wall_seconds for s in ("paygen", "raw tables"))
        rows.append(
            (f"{work}", f"{mart * 1000:.2f} ms, {raw / mart:,.0f} x", "< 5 ms, ≥ 1,000 x at 10 M")
        )
    return rows


def _row(key: tuple[int, bool, str, str], cost: Measurement) -> str:
    scale, indexes, work, subject = key
    figures = (f"{value:.3f}" for value in (cost.wall_seconds, cost.database_seconds))
    if work.startswith("query"):  # a statement in an open session: only its time is measured
        return f"| {scale:,} | yes | {work} | {subject} | {' | '.join(figures)} | | | | |"
    figures = [
        *figures,
        *(f"{value:.1f}" for value in (cost.server_cpu_seconds, cost.client_cpu_seconds)),
        *(f"{value:.0f}" for value in (cost.server_peak_mib, cost.client_peak_mib)),
    ]
    return (
        f"| {scale:,} | {'yes' if indexes else 'no'} | {work} | {subject} | {' | '.join(figures)} |"
    )


def machine() -> str:
    """What the bench ran on, and how busy it was."""
    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return (
        f"{os.cpu_count()} x {model}, {_memory_gib():.0f} GiB, {platform.system()}, "
        f"load {os.getloadavg()[2]:.1f} over the last 15 minutes"
    )


def embedded_server() -> str:
    """The bench's server and its settings."""
    settings = ", ".join(f"{setting} {value}" for setting, value in server_settings().items())
    return f"embedded PostgreSQL 18, fsync off, {settings}, random_page_cost 1.1, work_mem 64MB"


def server_settings() -> dict[str, str]:
    """What the bench's server is given for memory, for the project and its rivals alike."""
    return {"shared_buffers": f"{_memory_gib() // 4:.0f}GB", "maintenance_work_mem": "512MB"}


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _draw(costs: Costs, path: Path) -> None:
    figure, axes = plt.subplots(figsize=(7, 4))
    for work in ("full rebuild", "scheduled run"):
        points = sorted(
            (scale, cost.database_seconds)
            for (scale, indexes, of, subject), cost in costs.items()
            if (of, subject, indexes) == (work, "paygen", True)
        )
        axes.plot(*zip(*points, strict=True), marker="o", label=work)
    axes.set(xscale="log", yscale="log", xlabel="generations of history", ylabel="database time, s")
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
