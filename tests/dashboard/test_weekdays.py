"""Volume and shape: days beside the same weekday before, shares beside earlier ones."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import psycopg2
import pytest
import yaml

from tests.app_database import BUILD_ROLE, AppDatabase
from tests.dashboard.databases import AS_OF
from tests.dashboard.serving import READER
from tests.docs.documents import snippets_of

TODAY = AS_OF.date()
WEEKDAY, SHARES = "daily_usage_is_like_the_weeks_before", "daily_usage_shares_are_like_those_before"
STORED = "analytics_intermediate"


def day(before: int) -> date:
    """A day before that of the marts."""
    return TODAY - timedelta(before)


# Half as much on weekends, two providers, one in twenty failed.
HISTORY = """
insert into analytics.daily_usage
select
    day, provider, 'image_gen', rows, rows - rows / 20, rows / 20, 0, 0, rows * 2,
    rows * 0.04, rows * 0.04, 0, 0, 0
from generate_series(%(first)s::date, %(last)s::date, '1 day') as day
cross join (values ('wan'), ('seedream')) as providers (provider)
cross join lateral (
    select (case when extract(isodow from day) > 5 then 200 else 400 end)
        + mod(extract(doy from day)::int * 37, 60) as rows
) as counted
"""


def times(factor: str, of_day: date) -> str:
    """A day with so many times its generations."""
    counts = ("generations", "completed_generations", "failed_generations")
    changes = ", ".join(f"{each} = {each} * {factor}" for each in counts)
    return f"update analytics.daily_usage set {changes} where usage_date = '{of_day}'"


FAULTS: dict[str, tuple[str, set[Any]]] = {
    "nothing": ("select 1", set()),
    "a day without a row": (
        f"delete from analytics.daily_usage where usage_date = '{day(1)}'",
        {(day(1), "credits_used"), (day(1), "generations")},
    ),
    "a day with a third of the rows": (
        times("0.3", day(3)),
        {(day(3), "generations")},
    ),
    "a day with three times the rows": (
        times("3", day(7)),
        {(day(7), "generations")},
    ),
    "costs three times as high": (
        "update analytics.daily_usage set vendor_cost_usd = 60 + vendor_cost_usd * 3"
        f" where usage_date = '{day(2)}'",
        set(),  # 16 dollars a day are too few to be compared
    ),
    "an odd day in the weeks before": (times("20", day(8)), set()),
    "the day that is not over": (times("20", TODAY), set()),
    "a day of long ago": (times("20", day(50)), set()),
    "an app with few rows": (
        "update analytics.daily_usage set generations = 20, completed_generations = 19,"
        f" credits_used = 5; delete from analytics.daily_usage where usage_date = '{day(1)}'",
        set(),
    ),
    "a young app": (
        "delete from analytics.daily_usage"
        f" where usage_date < '{day(28)}' or usage_date = '{day(2)}'",
        set(),
    ),
    "other providers": (
        f"update analytics.daily_usage set provider = 'nanobanana' where provider = 'wan'"
        f" and usage_date >= '{day(7)}'",
        {("provider", "wan"), ("provider", "nanobanana")},
    ),
    "another type": (
        f"update analytics.daily_usage set enhancement_type = 'style' where provider = 'wan'"
        f" and usage_date >= '{day(7)}'",
        {("enhancement_type", "image_gen"), ("enhancement_type", "style")},
    ),
    "failures": (
        "update analytics.daily_usage set failed_generations = generations / 3,"
        f" completed_generations = generations - generations / 3 where usage_date >= '{day(7)}'",
        {
            ("generations", "failed_generations"),
            ("generations", "completed_generations"),
        },
    ),
    "a tenth of the rows under another type": (
        "update analytics.daily_usage set enhancement_type = 'style'"
        f" where usage_date = '{day(4)}' and provider = 'wan'",
        set(),
    ),
}


def found_by(database: AppDatabase, queries: Sequence[str], fault: str) -> set[Any]:
    """What the queries of both tests name while a fault is there."""
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute(fault)
        rows = set()
        for query in queries:
            cursor.execute(query)
            rows |= {row[:2] for row in cursor.fetchall()}
        cursor.execute("rollback")
    return rows


def test_days_and_shares_are_compared_with_those_before(empty_marts: AppDatabase) -> None:
    """By the two tests as a nightly run makes them, whose rows are stored for the build role."""
    empty_marts.execute(HISTORY, {"first": day(60), "last": TODAY})
    results = run_tests(empty_marts)
    assert {name: result.status for name, result in results.items()} == {
        WEEKDAY: "pass",
        SHARES: "pass",
    }
    queries = [result.node.compiled_code for result in results.values()]
    for name, (fault, expected) in FAULTS.items():
        assert found_by(empty_marts, queries, fault) == expected, name


def run_tests(database: AppDatabase) -> dict[str, Any]:
    """Both tests by name, after a run of dbt."""
    results = database.dbt("test", "--select", WEEKDAY, SHARES).result.results
    return {each.node.name: each for each in results if each.node.resource_type == "test"}


def test_a_fault_warns_and_is_stored_for_the_build_role(empty_marts: AppDatabase) -> None:
    """The build goes on; who may read nothing else of ours may not read this either."""
    empty_marts.execute(HISTORY, {"first": day(60), "last": TODAY})
    empty_marts.execute(FAULTS["a day with a third of the rows"][0])
    empty_marts.execute(FAULTS["other providers"][0])
    results = run_tests(empty_marts)
    assert {result.status for result in results.values()} == {"warn"}
    stored = f"select * from {STORED}.{WEEKDAY}"
    (row,) = empty_marts.query(stored, user=BUILD_ROLE)
    assert (row["usage_date"], row["measure"]) == (day(3), "generations")
    assert row["found"] * 2 < row["expected"]
    shares = empty_marts.query(f"select * from {STORED}.{SHARES}", user=BUILD_ROLE)
    assert {row["value"] for row in shares} == {"wan", "nanobanana"}
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        empty_marts.query(stored, user=READER)
    may = "select rolname from pg_roles where has_table_privilege(rolname, %s, 'select')"
    readers = empty_marts.query(f"{may} and not rolsuper", [f"{STORED}.{WEEKDAY}"])
    assert {row["rolname"] for row in readers} - {"pg_read_all_data"} == {BUILD_ROLE}


@pytest.mark.long
def test_a_tolerance_holds_until_its_day(empty_marts: AppDatabase) -> None:
    """The next one holds from the day after; where none does any more, the test says so."""
    empty_marts.execute(HISTORY, {"first": day(60), "last": TODAY})
    empty_marts.execute(times("2.2", day(1)))
    wide = [{"least": 0.1, "most": 3, "until": str(day(1))}]
    strict = [{"least": 0.5, "most": 2}]
    over = [{"least": 0.1, "most": 3, "until": str(day(2))}]
    (snippet,) = (
        each
        for each in snippets_of("docs/operations.md")
        if each.section == "Days and shares that are not like those before"
        and each.language == "yaml"
    )
    documented = yaml.safe_load(snippet.text)["tolerances"]
    for tolerances, expected in (
        (wide, set()),
        (strict, {(day(1), "generations")}),
        (wide + strict, set()),
        (over + strict, {(day(1), "generations")}),
        (over, {(day(1), "generations")}),
        (documented, set()),
        (documented[2:], {(day(1), "generations")}),
    ):
        arguments = f"ref('daily_usage'), of=['generations'], tolerances={tolerances}"
        result = empty_marts.dbt(
            "compile", "--inline", f"{{{{ test_like_same_weekday({arguments}) }}}}"
        )
        query = result.result.results[0].node.compiled_code
        assert found_by(empty_marts, [query], "select 1") == expected, tolerances
