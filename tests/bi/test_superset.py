"""Superset as the reader: each mart is found, each figure is the mart's, and nothing else is open.

Run by `make test-bi`; the default run leaves it out.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from rich.progress import track

from tests.app_database import BUILD_ROLE
from tests.bi import marts_server, superset
from tests.bi.marts_server import PASSWORD, Marts
from tests.bi.superset import Superset
from tests.dashboard.serving import READER

pytestmark = pytest.mark.bi
# Not in a frequent run: nightly runs, audits and Python models make them.
NIGHTLY = {
    *("cost_forecast", "credit_audit_findings", "credit_circulation", "daily_active_users"),
    *("failure_reasons", "findings_by_type", "monthly_type_breakdown", "user_retention"),
    "usage_anomalies",
}
# A view that compares with the clock: how many hours the figures are old.
MOVES = ("alerts", "value")
NUMBERS = ("bigint", "integer", "smallint", "numeric", "double precision", "real")


@dataclass(frozen=True)
class Connected:
    """A Superset that has the marts as one of its databases."""

    superset: Superset
    marts: Marts
    database_id: int

    def sql_lab(self, statement: str) -> tuple[int, dict[str, Any]]:
        """What its SQL Lab answers."""
        body = {"database_id": self.database_id, "sql": statement, "runAsync": False}
        return self.superset.ask("POST", "sqllab/execute/", body)


@pytest.fixture(scope="module")
def connected() -> Iterator[Connected]:
    """Superset with the marts as its database; writes are left to the server to refuse."""
    superset.install()
    with ExitStack() as running:
        with superset.step("build the marts"):
            marts = running.enter_context(marts_server.served())
        here = running.enter_context(superset.running())
        yield connect(here, marts)
        assert set(here.calls_outside()) == {"socket.getaddrinfo paygen.invalid"}


def connect(here: Superset, marts: Marts) -> Connected:
    """Add the marts to the databases of a Superset."""
    body = {
        "database_name": "paygen",
        "sqlalchemy_uri": marts.address,
        "expose_in_sqllab": True,
        "allow_dml": True,
    }
    with superset.step("connect it to the marts"):
        return Connected(here, marts, here.post("database/", body)["id"])


def test_the_connection_is_the_readers(connected: Connected) -> None:
    """Over TCP and TLS, with the password: another one is refused, and it is not shown."""
    status, answer = connected.sql_lab("select current_user::text as role")
    assert status == 200, answer
    assert answer["data"] == [{"role": READER}]
    shown = json.dumps(connected.superset.get(f"database/{connected.database_id}/connection"))
    assert "XXXXXXXXXX" in shown
    for hidden in (PASSWORD, quote(PASSWORD, safe="")):
        assert hidden not in shown
    body = {
        "database_name": "other",
        "sqlalchemy_uri": connected.marts.address.replace("r%2Fe", "wrong"),
    }
    status, answer = connected.superset.ask("POST", "database/test_connection/", body)
    assert status >= 400, answer
    assert "password" in json.dumps(answer), answer


def test_every_mart_is_found_and_each_figure_of_its_chart_is_the_marts(
    connected: Connected,
) -> None:
    """One dataset and one chart query for each mart: its rows, and the sum of each number.

    Superset's JSON has decimals as binary floats, so each sum is asked for as text too.
    """
    here, marts = connected.superset, connected.marts
    query = "(force:!t,schema_name:analytics)"
    listed = here.get(f"database/{connected.database_id}/tables/?q={query}")["result"]
    names = marts.names()
    assert sorted(each["value"] for each in listed) == names
    assert set(names) > NIGHTLY
    figures = 0
    for name in track(names, "chart each mart", console=superset.console):
        body = {"database": connected.database_id, "schema": "analytics", "table_name": name}
        dataset = here.post("dataset/", body)["id"]
        columns = numbers_of(marts, name)
        before = totals(marts, name, columns)
        (row,) = chart_of(here, dataset, columns)
        after = totals(marts, name, columns)
        assert row["rows"] == before["rows"] == after["rows"], name
        for column in columns:
            exact, shown = row[f"{column} as text"], row[column]
            if (name, column) == MOVES:
                assert Decimal(before[column]) <= Decimal(exact) <= Decimal(after[column])
                continue
            assert exact == before[column] == after[column], (name, column)
            if exact is None:
                assert shown is None, (name, column)
            else:
                assert float(shown) == float(exact), (name, column)
        figures += 1 + len(columns)
    superset.console.print(f"        {figures} figures of {len(names)} marts are equal")


def numbers_of(marts: Marts, mart: str) -> list[str]:
    """The columns of a mart that a tool offers to sum."""
    rows = marts.database.query(
        "select column_name from information_schema.columns where table_schema = 'analytics'"
        " and table_name = %s and data_type = any(%s) order by ordinal_position",
        [mart, list(NUMBERS)],
    )
    return [row["column_name"] for row in rows]


def totals(marts: Marts, mart: str, columns: list[str]) -> dict[str, Any]:
    """Rows and sums of a mart by SQL alone, sums as PostgreSQL writes them."""
    sums = "".join(f', sum("{name}")::text as "{name}"' for name in columns)
    (row,) = marts.database.query(f"select count(*) as rows{sums} from analytics.{mart}")
    return row


def chart_of(
    here: Superset, dataset: int, sums: list[str], by: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """The rows of a chart: how many rows of the mart, and each sum as users pick it and as text."""
    metrics: list[dict[str, Any]] = [_sql_metric("count(*)", "rows")]
    for name in sums:
        metrics.append(
            {
                "expressionType": "SIMPLE",
                "column": {"column_name": name},
                "aggregate": "SUM",
                "label": name,
            }
        )
        metrics.append(_sql_metric(f'cast(sum("{name}") as text)', f"{name} as text"))
    query = {
        "datasource": {"id": dataset, "type": "table"},
        "force": True,
        "queries": [{"columns": list(by), "metrics": metrics, "row_limit": 10000}],
        "result_format": "json",
        "result_type": "full",
    }
    return here.post("chart/data", query)["result"][0]["data"]


def _sql_metric(expression: str, label: str) -> dict[str, Any]:
    return {"expressionType": "SQL", "sqlExpression": expression, "label": label}


def test_the_parts_of_a_chart_add_up(connected: Connected) -> None:
    """Days by provider and type, as daily_usage has them, make the cost of monthly_cost."""
    here, marts = connected.superset, connected.marts
    body = {
        "database": connected.database_id,
        "schema": "analytics",
        "table_name": "by_provider",
        "sql": "select date_trunc('month', usage_date)::date::text as month, provider,"
        " vendor_cost_usd from analytics.daily_usage",
    }
    dataset = here.post("dataset/", body)["id"]
    rows = chart_of(here, dataset, ["vendor_cost_usd"], ["month", "provider"])
    assert len({row["provider"] for row in rows}) > 1
    shown: Counter[str] = Counter()
    for row in rows:
        shown[row["month"]] += Decimal(row["vendor_cost_usd as text"])
    assert shown == {
        str(row["month_start"]): row["vendor_cost_usd"]
        for row in marts.database.query(
            "select month_start, vendor_cost_usd from analytics.monthly_cost"
        )
    }


def test_the_reader_reaches_nothing_but_the_marts(connected: Connected) -> None:
    """Every table, view and sequence of the app's schema and of ours, by SQL Lab."""
    marts = connected.marts
    closed = marts.database.query(
        "select format('%I.%I', nspname, relname) as name from pg_class"
        " join pg_namespace on pg_namespace.oid = relnamespace"
        " where relkind in ('r', 'v', 'm', 'p', 'S', 'f')"
        " and nspname not in ('analytics', 'pg_catalog', 'information_schema')"
        " and nspname not like 'pg\\_%' order by 1"
    )
    names = [row["name"] for row in closed]
    assert "public.enhancement_tasks" in names
    assert "analytics_intermediate.int_run_history" in names
    statements = [f"select * from {name}" for name in names]
    statements += [
        "select rolpassword from pg_catalog.pg_authid",
        "delete from analytics.monthly_usage",
        "update analytics.monthly_usage set generations = 0",
        "create table analytics.mine (id int)",
        "create schema mine",
        "drop table analytics.monthly_usage",
        "create role another superuser",
        f"set role {BUILD_ROLE}",
    ]
    before = totals(marts, "monthly_usage", ["generations"])
    for statement in track(statements, "ask for what is closed", console=superset.console):
        status, answer = connected.sql_lab(statement)
        said = json.dumps(answer)
        assert status >= 400, (statement, answer)
        assert "permission denied" in said or "must be owner" in said, (statement, said)
    assert totals(marts, "monthly_usage", ["generations"]) == before
