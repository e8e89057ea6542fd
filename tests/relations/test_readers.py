"""Readers ask every mart in a loop while runs go on: none is missing, empty, or slow."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg2
import pytest

from tests.app_database import BUILD_ROLE, AppDatabase
from tests.incremental.conftest import AS_OF, ZONE, change_one_charge
from tests.incremental.rebuild import assert_equals_rebuild, run

WITHOUT_TESTS = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
LONGEST_WAIT = 3  # seconds, on a machine that runs other tests meanwhile; docs promise one


@dataclass
class Reader:
    """What readers of the marts met with."""

    database: AppDatabase
    role: str
    problems: list[str] = field(default_factory=list)
    questions: int = 0
    longest: float = 0
    _done: threading.Event = field(default_factory=threading.Event)

    def marts(self) -> list[str]:
        """Every mart that has rows."""
        names = self.database.query(
            """select oid::regclass::text as name from pg_class
               where relnamespace = 'analytics'::regnamespace and relkind in ('r', 'v')
               order by 1"""
        )
        return [
            row["name"]
            for row in names
            if self.database.query(f"select 1 from {row['name']} limit 1")
        ]

    def read(self, marts: list[str]) -> None:
        """Ask one mart after another until told to end."""
        with self.database.connect(self.role) as connection, connection.cursor() as cursor:
            while not self._done.is_set():
                for mart in marts:
                    started = time.perf_counter()
                    try:
                        cursor.execute(f"select count(*) from {mart}")
                        if cursor.fetchone() == (0,):
                            self.problems.append(f"{mart} is empty")
                    except psycopg2.Error as error:
                        self.problems.append(f"{mart}: {error}")
                    self.questions += 1
                    self.longest = max(self.longest, time.perf_counter() - started)

    @contextmanager
    def reading(self) -> Iterator[list[str]]:
        """Two sessions read while the block runs."""
        marts = self.marts()
        self._done.clear()
        threads = [threading.Thread(target=self.read, args=(marts,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            yield marts
        finally:
            self._done.set()
            for thread in threads:
                thread.join()

    def assert_met_nothing(self) -> None:
        """No mart was missing or empty, or kept a reader waiting."""
        assert self.questions > 100
        assert self.problems == []
        assert self.longest < LONGEST_WAIT


def test_every_mart_is_there_all_the_time(built: AppDatabase, reader: str) -> None:
    """In a frequent run, a nightly one, a full refresh, and the first after a release."""
    variables = {
        "as_of": AS_OF.isoformat(),
        "reporting_timezone": ZONE,
        "reader_roles": [reader],
    }

    def build(*arguments: str) -> None:
        options = {"parse": True, "python_models": True}
        if "--selector" not in arguments:
            arguments = (*arguments, *WITHOUT_TESTS)
        built.dbt("build", *arguments, variables=variables, **options)

    build()
    met = Reader(built, reader)
    with met.reading() as marts:
        assert "analytics.monthly_user_usage" in marts
        assert "analytics.usage_anomalies" in marts
        change_one_charge(built)
        build("--selector", "frequent")
        build()
        build("--full-refresh")
    met.assert_met_nothing()
    # As tables were before a release that adds a column and takes others away, below views.
    built.execute(
        """alter table analytics.daily_usage drop column list_cost_usd;
           alter table analytics.fct_generations add column former text;
           alter table analytics_intermediate.int_usage_by_user_month add column former text""",
        user=BUILD_ROLE,
    )
    with met.reading():
        build("--full-refresh")
    met.assert_met_nothing()
    assert built.query("select list_cost_usd from analytics.daily_usage")
    assert leftovers(built) == []


@pytest.mark.long
def test_a_long_report_keeps_no_reader_waiting(built: AppDatabase, reader: str) -> None:
    """A table that cannot be swapped is written where it stands; the report sees it as it was."""
    built.execute(f"grant pg_read_all_data to {reader}")
    met = Reader(built, reader)
    identity = "select 'analytics.daily_usage'::regclass::oid as id"
    before = built.query(identity)
    change_one_charge(built)
    with built.connect(reader) as connection, connection.cursor() as report:
        connection.autocommit = False
        report.execute("select sum(vendor_cost_usd) from analytics.daily_usage")
        met.marts = lambda: ["analytics.daily_usage"]
        with met.reading():
            run(built, AS_OF, ZONE, "--full-refresh", "--select", "daily_usage")
    met.assert_met_nothing()
    built.execute(f"revoke pg_read_all_data from {reader}")
    assert built.query(identity) == before
    run(built, AS_OF, ZONE, "--selector", "frequent")
    assert_equals_rebuild(built, AS_OF, ZONE)


def leftovers(database: AppDatabase) -> list[dict]:
    """Tables and views of ours that no model has."""
    return database.query(
        r"""select oid::regclass from pg_class
            where relnamespace::regnamespace::text like 'analytics%%'
                and relname ~ '__(old|dbt)_'"""
    )


def test_views_read_a_seed_that_was_made_anew(built: AppDatabase) -> None:
    """Though neither their query nor its columns changed; the old table is gone."""
    reads = """select distinct refobjid from pg_depend join pg_rewrite on pg_rewrite.oid = objid
               where ev_class = 'analytics.provider_health'::regclass
               and refobjid = 'analytics_seeds.providers'::regclass"""
    before = built.query(reads)
    built.dbt("seed", "--full-refresh", "--select", "providers")
    assert built.query(reads) == []
    change_one_charge(built)
    run(built, AS_OF, ZONE, "--selector", "frequent", "--exclude-resource-type", "test")
    assert len(before) == len(built.query(reads)) == 1
    assert built.query(reads) != before
    assert leftovers(built) == []
