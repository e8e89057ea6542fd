"""Write the measurements of the page as a table."""

import statistics
from pathlib import Path

from bench.page.browser import Visit
from bench.page.measure import Figures
from bench.page.reading import FIRST_PAGE_SHARE, THINK_SECONDS, Reading, p95, seconds_of
from bench.report import embedded_server, machine

FIRST_MS, FIRST_KIB, MEMORY_MIB, TIMES_SOONER, TIMES_IDLE = 300, 100, 80, 10, 2
QUERIES_SHOWN = 5

Line = tuple[str, str, str, bool | None]


def lines(figures: Figures) -> list[Line]:
    """What was measured, its value, what is wanted, and whether it is reached."""
    first = figures.warm["/"]
    warm_p95 = max(p95(_first(readings)) for readings in figures.warm.values())
    size = len(first[0].text.encode()) / 1024
    found: list[Line] = [
        (
            "first text of the first page, warm",
            f"median {_ms(statistics.median(_first(first)))}, p95 {_ms(p95(_first(first)))}",
            f"≤ {FIRST_MS} ms",
            p95(_first(first)) * 1000 <= FIRST_MS,
        ),
        (
            "first text of each other page, warm: p95 of the slowest",
            _ms(warm_p95),
            f"≤ {FIRST_MS} ms",
            warm_p95 * 1000 <= FIRST_MS,
        ),
        (
            "first text of the first page, written anew",
            _anew(figures, "/"),
            "",
            None,
        ),
        (
            "bytes of the first page",
            f"{size:.0f} KiB, {first[0].packed_bytes / 1024:.0f} KiB packed",
            f"≤ {FIRST_KIB} KiB",
            size <= FIRST_KIB,
        ),
    ]
    for after, (proportional, resident) in figures.memory.items():
        found.append(
            (
                f"memory of the page's process after {after}",
                f"{proportional:.0f} MiB PSS, {resident:.0f} MiB RSS",
                f"≤ {MEMORY_MIB} MiB",
                resident <= MEMORY_MIB,
            )
        )
    found += [
        *_against_streamlit(figures),
        *(_while_running(figures) if figures.run_seconds else []),
    ]
    return found


def _against_streamlit(figures: Figures) -> list[Line]:
    found: list[Line] = []
    for what, name in (
        ("the headline's figures in the DOM", "headline_seconds"),
        ("all tables in the DOM", "tables_seconds"),
    ):
        ours, rival = (
            statistics.median(getattr(visit, name) for visit in figures.visits[subject])
            for subject in ("paygen", "Streamlit")
        )
        found.append(
            (
                f"{what}, warm: Streamlit / paygen",
                f"{rival / ours:.1f} ({_ms(rival)} / {_ms(ours)})",
                f"≥ {TIMES_SOONER}",
                rival / ours >= TIMES_SOONER,
            )
        )
    ours, rival = (figures.first_visits[subject] for subject in ("paygen", "Streamlit"))
    found.append(
        (
            "the same in a browser's first visit: headline, all tables",
            f"{rival.headline_seconds / ours.headline_seconds:.1f},"
            f" {rival.tables_seconds / ours.tables_seconds:.1f}"
            f" ({_visit(rival)} / {_visit(ours)})",
            "",
            None,
        )
    )
    proportional, resident = figures.streamlit_memory
    memory = f"{proportional:.0f} MiB PSS, {resident:.0f} MiB RSS"
    found.append(("memory of Streamlit's process", memory, "", None))
    return found


def _while_running(figures: Figures) -> list[Line]:
    idle, running = seconds_of(figures.idle), seconds_of(figures.while_running)
    ratio = p95(running) / p95(idle)
    return [
        (
            f"{figures.people} people, errors in {len(idle) + len(running):,} requests",
            f"{len(figures.errors)}",
            "0",
            not figures.errors,
        ),
        (
            "p95 while a scheduled run works / idle",
            f"{ratio:.2f} ({_ms(p95(running))} / {_ms(p95(idle))})",
            f"≤ {TIMES_IDLE}",
            ratio <= TIMES_IDLE,
        ),
        (
            "requests during a run that took longer than twice the idle p95",
            f"{sum(each > TIMES_IDLE * p95(idle) for each in running) / len(running):.1%}",
            "",
            None,
        ),
        (
            "median while a scheduled run works / idle",
            f"{_ms(statistics.median(running))} / {_ms(statistics.median(idle))}",
            "",
            None,
        ),
        (
            "slowest while a scheduled run works / idle",
            f"{_ms(max(running))} / {_ms(max(idle))}",
            "",
            None,
        ),
    ]


def write(figures: Figures, path: Path) -> None:
    """Write all figures as Markdown."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(_text(figures)) + "\n")


def _text(figures: Figures) -> list[str]:
    place = "marts of one's own"
    if figures.generations:
        place = f"{figures.generations:,} generations; {embedded_server()}"
    runs = ", ".join(f"{seconds:.0f} s" for seconds in figures.run_seconds)
    return [
        "# What the page costs",
        "",
        f"`python -m bench.page`: {machine()}; {place}.",
        "",
        "| what | measured | wanted | reached |",
        "|---|---|---|---|",
        *(
            f"| {what} | {value} | {wanted} | {'' if is_reached is None else _yes(is_reached)} |"
            for what, value, wanted, is_reached in lines(figures)
        ),
        "",
        "First text: from opening a connection to the first byte of the page, which is sent as a"
        " whole. Warm: the page was read before. Written anew: the first request of a page to a new"
        " process. After a run the page writes what is kept anew by itself, while readers get the"
        " pages before.",
        "",
        *(
            [
                f"{figures.people} people read pages of the list below, the first one"
                f" {FIRST_PAGE_SHARE:.0%} of the time, and think {THINK_SECONDS[0]:g} to"
                f" {THINK_SECONDS[1]:g} s between. {len(figures.idle):,} requests without a run,"
                f" {len(figures.while_running):,} during {len(figures.run_seconds)} runs ({runs})"
                " and the seconds after each in which pages are written anew.",
                "",
                *(f"- {error}" for error in sorted(set(figures.errors))[:20]),
                "",
            ]
            if figures.run_seconds
            else ["No scheduled run: marts of one's own are only read.", ""]
        ),
        "## Pages",
        "| page | warm median | warm p95 | written anew | KiB | slowest queries |",
        "|---|---|---|---|---|---|",
        *(
            f"| `{path}` | {_ms(statistics.median(_first(readings)))}"
            f" | {_ms(p95(_first(readings)))}"
            f" | {_anew(figures, path)}"
            f" | {len(readings[0].text.encode()) / 1024:.0f} | {_slowest(figures, path)} |"
            for path, readings in figures.warm.items()
        ),
        "",
        "## Tables as CSV",
        "| table | s | KiB |",
        "|---|---|---|",
        *(
            f"| `{path}` | {table.seconds:.2f} | {len(table.text.encode()) / 1024:,.0f} |"
            for path, table in sorted(figures.tables.items(), key=lambda each: -each[1].seconds)
        ),
    ]


def _slowest(figures: Figures, path: str) -> str:
    queries = list(figures.queries[path].items())[:QUERIES_SHOWN]
    return ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in queries)


def _anew(figures: Figures, path: str) -> str:
    return _ms(statistics.median(_first(figures.anew[path]))) if path in figures.anew else ""


def _first(readings: list[Reading]) -> list[float]:
    return [each.first_seconds for each in readings]


def _visit(visit: Visit) -> str:
    return f"{_ms(visit.headline_seconds)}, {_ms(visit.tables_seconds)}"


def _ms(seconds: float) -> str:
    milliseconds = seconds * 1000
    return f"{milliseconds:.1f} ms" if milliseconds < 10 else f"{milliseconds:,.0f} ms"


def _yes(is_reached: bool) -> str:
    return "yes" if is_reached else "**no**"
