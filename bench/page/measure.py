"""The three measurements: the page alone, beside Streamlit, and while a scheduled run works."""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from bench.page import browser, marts, reading, serving, slow_queries
from bench.page.browser import Visit
from bench.page.marts import Marts
from bench.page.reading import Load, Reading, p95, seconds_of
from bench.page.serving import Served
from dashboard.filters import parse
from reader.database import Database

REQUESTS = 30
STARTS = 3  # of the page's process: each writes every page anew once
AFTER_RUN_SECONDS = 10  # the pages are written anew, which is part of what a run costs readers
SETTLE_SECONDS = 5

Say = Callable[[str], None]


@dataclass
class Figures:
    """All that one run of the bench measured.

    Attributes:
        warm: by page, requests of a page that was read before.
        anew: by page, its first request to a process: it is written from the marts.
        tables: by table, one reading as CSV.
        queries: by page, the seconds of its queries.
        memory: after what, proportional and resident MiB of the page's process.
        streamlit_memory: the same of Streamlit's, after the visits.
        first_visits: of a browser that has nothing in its cache, by subject.
        visits: of one that has, by subject, in turn.
        idle: requests of many people without a run; while_running: with one.
        errors: what went wrong for any of them.
    """

    generations: int
    people: int
    warm: dict[str, list[Reading]] = field(default_factory=dict)
    anew: dict[str, list[Reading]] = field(default_factory=dict)
    tables: dict[str, Reading] = field(default_factory=dict)
    queries: dict[str, dict[str, float]] = field(default_factory=dict)
    memory: dict[str, tuple[float, float]] = field(default_factory=dict)
    streamlit_memory: tuple[float, float] = (0, 0)
    first_visits: dict[str, Visit] = field(default_factory=dict)
    visits: dict[str, list[Visit]] = field(default_factory=dict)
    idle: list[Reading] = field(default_factory=list)
    while_running: list[Reading] = field(default_factory=list)
    run_seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def measure(
    measured: Marts, people: int, rounds: int, runs: int, idle_seconds: float, say: Say
) -> Figures:
    """Measure everything against the same marts.

    Raises:
        RuntimeError: a part cannot be measured; the page has parts that cannot be read.
    """
    figures = Figures(measured.generations, people)
    commands: Iterator[list[str]] = iter(())
    if measured.workload is not None:
        commands = measured.workload.scheduled_commands(runs + 1)
        say("a first scheduled run, not measured")
        marts.run(measured.workload, next(commands))
    with _variables(measured.environment):
        for number in range(1, STARTS):
            with serving.our_page({}) as served:
                pages = _write_anew(figures, served, say, number)
        with serving.our_page({}) as served:
            pages = _write_anew(figures, served, say, STARTS)
            _read_alone(figures, served, pages, say)
            _time_queries(figures, pages, say)
            _visit_in_turn(figures, served, rounds, say)
            if measured.workload is not None:
                _read_while_running(figures, served, pages, measured, commands, idle_seconds, say)
    return figures


def _write_anew(figures: Figures, served: Served, say: Say, number: int) -> list[str]:
    # The first month comes first, not measured: connections are opened and the template is read.
    first = _sound(reading.read(served.address, "/csv/months.csv"))
    month = first.text.splitlines()[-1].split(",")[0][:7]
    warmed = f"/?month={month}"
    front = _sound(reading.read(served.address, warmed))
    pages = reading.paths(front.text)
    for path in pages:
        answer = _sound(reading.read(served.address, path))
        if path != warmed:
            figures.anew.setdefault(path, []).append(answer)
    slowest = max((readings[-1].first_seconds, path) for path, readings in figures.anew.items())
    say(
        f"{len(pages)} pages written anew, start {number} of {STARTS}:"
        f" the slowest {slowest[0] * 1000:.0f} ms, {slowest[1]}"
    )
    return pages


def _read_alone(figures: Figures, served: Served, pages: Sequence[str], say: Say) -> None:
    for path in pages:
        figures.warm[path] = [_sound(reading.read(served.address, path)) for _ in range(REQUESTS)]
        seconds = [each.first_seconds for each in figures.warm[path]]
        say(f"{path}: first text {statistics.median(seconds) * 1000:.1f} ms warm")
    figures.memory["the requests"] = served.memory_mib()
    for path in reading.tables(figures.warm["/"][0].text):
        figures.tables[path] = _sound(reading.read(served.address, path))
    figures.memory["all tables as CSV"] = served.memory_mib()
    slowest = max(figures.tables.values(), key=lambda each: each.seconds)
    say(f"{len(figures.tables)} tables as CSV: the slowest {slowest.seconds:.2f} s, {slowest.path}")


def _time_queries(figures: Figures, pages: Sequence[str], say: Say) -> None:
    database = Database(os.environ.get("PAYGEN_SCHEMA", "analytics"), application="paygen bench")
    try:
        for path in pages:
            filters = parse(parse_qsl(urlsplit(path).query))
            figures.queries[path] = slow_queries.seconds_by_query(database, filters)
    finally:
        database.close()
    name, seconds = next(iter(figures.queries["/"].items()))
    say(f"queries of the first page: the slowest {seconds * 1000:.0f} ms, {name}")


def _visit_in_turn(figures: Figures, served: Served, rounds: int, say: Say) -> None:
    with serving.streamlit_page({}) as rival, browser.start() as chromium:
        addresses = {"paygen": served.address + "/", "Streamlit": rival.address + "/"}
        chromium.watch_for_texts_of(addresses["paygen"])
        for subject, address in addresses.items():
            figures.first_visits[subject] = chromium.visit(address)
        for number in range(1, rounds + 1):
            for subject, address in addresses.items():
                visit = chromium.visit(address)
                figures.visits.setdefault(subject, []).append(visit)
                say(
                    f"Chromium, round {number}, {subject}: headline"
                    f" {visit.headline_seconds:.3f} s, tables {visit.tables_seconds:.3f} s"
                )
        figures.streamlit_memory = rival.memory_mib()


def _read_while_running(
    figures: Figures,
    served: Served,
    pages: list[str],
    measured: Marts,
    commands: Iterator[list[str]],
    idle_seconds: float,
    say: Say,
) -> None:
    idle: list[tuple[float, float]] = []
    running: list[tuple[float, float]] = []
    with Load(served.address, pages, figures.people) as load:
        for command in commands:  # the changes are made
            time.sleep(SETTLE_SECONDS)
            began = time.monotonic()
            time.sleep(idle_seconds)
            idle.append((began, time.monotonic()))
            began = time.monotonic()
            marts.run(measured.workload, command)
            figures.run_seconds.append(time.monotonic() - began)
            time.sleep(AFTER_RUN_SECONDS)
            running.append((began, time.monotonic()))
            say(
                f"{figures.people} people, a run of {figures.run_seconds[-1]:.0f} s:"
                f" p95 {p95(seconds_of(load.within(running[-1:]))) * 1000:.0f} ms,"
                f" idle {p95(seconds_of(load.within(idle[-1:]))) * 1000:.0f} ms"
            )
    figures.while_running = load.within(running)
    under_way = {id(each) for each in figures.while_running}
    figures.idle = [each for each in load.within(idle) if id(each) not in under_way]
    figures.errors = [each.error for each in load.readings if each.error]
    figures.memory[f"{figures.people} people"] = served.memory_mib()


def _sound(answer: Reading) -> Reading:
    if answer.error:
        raise RuntimeError(f"the page cannot be measured: {answer.error}")
    return answer


@contextmanager
def _variables(environment: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
