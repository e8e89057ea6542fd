"""Runs by month: what is carried over is what a rebuild would write."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from local_spark.cluster import Cluster
from tests.app_database import messages
from tests.histories import HistoryGenerator
from tests.oracle import AppTables
from tests.spark import engine

pytestmark = pytest.mark.spark

# Of two month ends, a year apart, and of days on which nothing is at a border.
MOMENTS = [
    *(datetime(2023, 12, 31, 23, 50, tzinfo=UTC), datetime(2024, 2, 29, 12, tzinfo=UTC)),
    *(datetime(2024, 4, 15, 8, tzinfo=UTC), datetime(2024, 12, 31, 23, 58, tzinfo=UTC)),
]
AS_OF = [datetime(2024, 12, 31, tzinfo=UTC) + timedelta(days=days) for days in (0, 1, 2, 400)]
CARRIED = [
    *("stg_app__enhancement_tasks", "stg_app__credit_transactions", "int_tasks_cleaned"),
    *("int_ledger_classified", "int_ledger_synced", "int_bare_charges_matched"),
    *("int_generations_touched", "int_refunds_matched", "fct_generations"),
]


def draw_history(seed: int) -> AppTables:
    """Small histories around each moment, most of users of their own; some share ids and users."""
    tables = AppTables()
    shared = HistoryGenerator(seed, MOMENTS[0])
    for number, around in enumerate(MOMENTS * 6):
        history = HistoryGenerator(seed * 100 + number, around)
        history.users = history.users[: 4 if number < 4 else 3]
        if number % 7 == 0:
            history.users.append(shared.users[0])
            history.requests = shared.requests
        history.write(events=10)
        for name, rows in vars(history.tables).items():
            getattr(tables, name).extend(rows)
    for rows in vars(tables).values():
        Random(seed).shuffle(rows)
    return tables


def changed(tables: AppTables, random: Random) -> AppTables:
    """What the app made of its rows: some are gone, some have other values, users or months."""
    users = [row["user_id"] for row in tables.enhancement_tasks]
    changes: dict[str, list[Any]] = {
        "status": ["failed", "completed", "refunded", None],
        "user_id": users,
        "credits_used": [Decimal(2), Decimal("0.5"), None],
        "enhancement_type": ["style", "image_gen", None],
        "api_request_id": [None, *(row["id"] for row in tables.enhancement_tasks)],
        "created_at": MOMENTS,
        "failed_at": MOMENTS,
    }

    def rows_of(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for row in rows:
            fate = random.random()
            if fate < 0.01:
                column = random.choice([name for name in changes if name in row])
                yield {**row, column: random.choice(changes[column])}
            elif fate > 0.015:
                yield row

    return replace(
        tables,
        enhancement_tasks=list(rows_of(tables.enhancement_tasks)),
        credit_transactions=list(rows_of(tables.credit_transactions)),
    )


def with_rows(tables: AppTables, more: AppTables) -> AppTables:
    """The rows of both."""
    return AppTables(**{name: rows + getattr(more, name) for name, rows in vars(tables).items()})


def tables_read(cluster: Cluster) -> dict[str, Counter]:
    """The rows that readers have of each of these models."""
    nodes = {node.name: node for node in engine.parsed_for_spark().nodes.values()}
    with engine.cursor_of(cluster) as cursor:
        found = {}
        for name in CARRIED:
            schema = nodes[name].schema.replace("_next", "")
            cursor.execute(f"select * from {schema}.{name}")
            found[name] = Counter(cursor.fetchall())
    return found


def run(cluster: Cluster, as_of: datetime, *arguments: str, **options: Any) -> tuple[Any, str]:
    """A run of these models alone, once all that they read is there."""
    said = []
    result = engine.dbt_on_spark(
        *(cluster, "run", "-s", *CARRIED, *arguments),
        variables={"as_of": as_of.isoformat()},
        callbacks=[lambda event: said.append(event.info.msg), *options.pop("callbacks", [])],
        **options,
    )
    return result, "\n".join(said)


def months_written(said: str) -> dict[str, int]:
    """By model, how many months a run said that it wrote."""
    return {name: int(number) for name, number in re.findall(r"(\w+): (\d+) month\(s\)", said)}


@pytest.mark.parametrize("seed", [1])
def test_four_runs_equal_a_rebuild(cluster: Cluster, seed: int) -> None:
    """Rows come late, change and go in all months; one run breaks off, and readers keep theirs."""
    random = Random(seed)
    drawn = draw_history(seed)
    tables = AppTables(**{name: rows[len(rows) // 20 :] for name, rows in vars(drawn).items()})
    engine.make_app_tables(cluster, tables)
    first = ["build", "-s", "+fct_generations", "--exclude", "resource_type:test"]
    first += ["resource_type:unit_test"]
    result = engine.dbt_on_spark(cluster, *first, variables={"as_of": AS_OF[0].isoformat()})
    assert result.success, messages(result)
    for number, as_of in enumerate(AS_OF[1:], 1):
        late = {
            name: rows[: len(rows) // 20][number - 1 :: 3] for name, rows in vars(drawn).items()
        }
        tables = with_rows(changed(tables, random), AppTables(**late))
        engine.make_app_tables(cluster, tables)
        if number == 2:
            _break_off(cluster, as_of)
        result, said = run(cluster, as_of)
        assert result.success, messages(result)
        assert months_written(said).keys() == set(CARRIED), said
    carried = tables_read(cluster)
    _, said = run(cluster, AS_OF[-1])
    assert set(months_written(said).values()) == {0}, said
    assert tables_read(cluster) == carried
    result, said = run(cluster, AS_OF[-1], "--full-refresh")
    assert result.success, messages(result)
    assert not months_written(said)
    for name, rows in tables_read(cluster).items():
        assert rows.total() > 0
        assert carried[name] == rows, name
    _break_what_is_carried(cluster, carried)
    engine.drop_app_tables(cluster)


def _break_what_is_carried(cluster: Cluster, rows: dict[str, Counter]) -> None:
    """A table of months that is gone, and other rows of a seed: all months are written."""
    for statements in (
        ["drop table {schema}.{months}"],
        [
            f"alter view {schema}.provider_prices set tblproperties ('paygen.checksum' = 'other')"
            for schema in ("analytics_seeds", "analytics_next_seeds")
        ],
    ):
        with engine.cursor_of(cluster) as cursor:
            schema = "analytics_intermediate"
            cursor.execute(f"show tables in {schema} like 'int_ledger_synced__m*'")
            months = max(name for _, name, _ in cursor.fetchall())
            for statement in statements:
                cursor.execute(statement.format(schema=schema, months=months))
        result, said = run(cluster, AS_OF[-1])
        assert result.success, messages(result)
        assert not months_written(said)
        assert tables_read(cluster) == rows


def test_order() -> None:
    """Whose rows may differ is known when a model asks for it, whatever the number of threads."""
    nodes = engine.parsed_for_spark().nodes
    names = {node.name: unique_id for unique_id, node in nodes.items()}

    def ancestors(unique_id: str) -> set[str]:
        node = nodes[unique_id]
        if node.resource_type == "seed":  # made of nothing
            return set()
        parents = [each for each in node.depends_on.nodes if each in nodes]
        return set(parents).union(*map(ancestors, parents))

    ids = {"int_tasks_cleaned", "int_ledger_classified", "int_ledger_synced"}
    by_user = set(CARRIED[2:]) - ids
    first = ancestors(names["int_bare_charges_matched"])
    assert {names[name] for name in ids} <= first
    for name in by_user - {"int_bare_charges_matched"}:
        assert names["int_bare_charges_matched"] in ancestors(names[name])


def _break_off(cluster: Cluster, as_of: datetime) -> None:
    """A run that loses a table in its midst, which the next one has again.

    Readers have the versions that they had, each of them whole; the run had written others.
    """

    def lose(event: Any) -> None:
        if event.info.name == "LogStartLine" and "fct_generations" in event.info.msg:
            with engine.cursor_of(cluster) as cursor:
                cursor.execute("drop view analytics_next_seeds.provider_prices")

    rows, versions = tables_read(cluster), versions_noted(cluster, "analytics")
    result, said = run(cluster, as_of, callbacks=[lose])
    assert not result.success
    assert "readers keep the tables they had" in said
    assert versions_noted(cluster, "analytics") == versions
    assert tables_read(cluster) == rows
    written = versions_noted(cluster, "analytics_next")
    assert {name for name in CARRIED if written[name] != versions[name]} >= set(CARRIED[:6])


def versions_noted(cluster: Cluster, schema: str) -> dict[str, str]:
    """The version that each view of a schema and of those beside it selects from."""
    nodes = {node.name: node for node in engine.parsed_for_spark().nodes.values()}
    found = {}
    with engine.cursor_of(cluster) as cursor:
        for name in CARRIED:
            place = schema + nodes[name].schema.removeprefix("analytics_next")
            cursor.execute(f"show tblproperties {place}.{name} ('paygen.version')")
            [(_, found[name])] = cursor.fetchall()
    return found
