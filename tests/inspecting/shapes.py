"""Shapes of public apps' databases, with rows of our own, and what is to be proposed of each."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import yaml

from inspect_app import database, recognise
from inspect_app.proposal import Mapped, Proposal
from local_postgres.server import Server
from tests.app_database import AppDatabase, database_name

HERE = Path(__file__).parent
EVERY = sorted((HERE / "shapes").glob("*.yaml"))

Shape = dict[str, Any]


def read(path: Path) -> Shape:
    """One shape: `sql` that makes it, and what is expected of it."""
    shape: Shape = yaml.safe_load(path.read_text())
    return shape


def sql_of(shape: Shape) -> str:
    """What makes a shape: its SQL, and a month of an app's life to fill tables from if it asks."""
    if not shape.get("life"):
        return str(shape["sql"])
    return f"{(HERE / 'traffic.sql').read_text()}{shape['sql']}drop schema life cascade;"


def make(server: Server, sql: str, purpose: str = "shape") -> AppDatabase:
    """A new database with nothing in it but what some SQL makes."""
    name = database_name(purpose)
    maintenance = AppDatabase(server, "postgres")
    maintenance.execute(f"drop database if exists {name} with (force)")
    maintenance.execute(f"create database {name}")
    made = AppDatabase(server, name)
    made.execute(sql)
    return made


@contextmanager
def connected(app: AppDatabase, user: str | None = None) -> Iterator[psycopg2.extensions.cursor]:
    """A cursor as an inspection has one."""
    with app.connect(user) as connection:
        connection.autocommit = False
        connection.set_session("REPEATABLE READ", readonly=True)
        with connection.cursor() as cursor:
            cursor.execute(database.SETTINGS)
            yield cursor


def point_to(app: AppDatabase, monkeypatch: pytest.MonkeyPatch, user: str | None = None) -> None:
    """Have libpq's variables name a database, as its superuser unless told another role."""
    variables = app.environment(user or app.server.user)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def proposal_of(app: AppDatabase, **choices: str) -> Proposal:
    """What is proposed of a database."""
    with connected(app) as cursor:
        return recognise.propose(cursor, choices)


def differences(shape: Shape, proposal: Proposal) -> list[str]:
    """Where a proposal is not what a shape expects, line by line."""
    wrong = []
    for role, expected in shape["expect"].items():
        wrong += _differences_of_table(expected, proposal.table(role))
    kinds = {
        row.row["transaction_type"]: row.row for row in proposal.values.get("transaction_kinds", [])
    }
    statuses = {row.row["app_status"]: row.row for row in proposal.values.get("statuses", [])}
    found: dict[str, Any] = {
        "kinds": {word: row["transaction_kind"] for word, row in kinds.items()},
        "bought": sorted(word for word, row in kinds.items() if row.get("is_bought")),
        "statuses": {word: row.get("status") for word, row in statuses.items()},
        "effects": {
            word: row["ledger_effect"] for word, row in statuses.items() if "ledger_effect" in row
        },
        "providers": sorted(_column(proposal, "providers", "provider")),
        "types": {
            row.row["enhancement_type"]: row.row["medium"]
            for row in proposal.values.get("enhancement_types", [])
        },
        "prices": [row.row for row in proposal.values.get("provider_prices", [])],
        "tiers": _column(proposal, "subscription_tiers", "subscription_tier"),
        "credits": {
            row.row["subscription_tier"]: row.row["monthly_credits"]
            for row in proposal.values.get("subscription_tiers", [])
            if "monthly_credits" in row.row
        },
    }
    for part in shape.get("untold", []):
        if not any(part in said for said in proposal.untold):
            wrong.append(f"nothing is said of {part}")
    for what, is_now in found.items():
        empty: Any = type(is_now)()
        expected = shape.get(what, empty)
        expected = sorted(expected) if what in ("bought", "providers") else expected
        if is_now != expected:
            wrong.append(f"{what}: {is_now} instead of {expected}")
    return wrong


def _column(proposal: Proposal, name: str, column: str) -> list[Any]:
    return [row.row[column] for row in proposal.values.get(name, [])]


def _differences_of_table(expected: dict[str, Any], mapped: Mapped) -> list[str]:
    label = mapped.table.label if mapped.table else None
    if not _is_one_of(label, expected["table"]):
        return [f"{mapped.role} is {label} instead of {expected['table']}"]
    wrong = []
    for column, value in expected.get("columns", {}).items():
        line = mapped.line(column)
        shown = line.shown if line else "null"
        if not _is_one_of(shown, value or "null"):
            wrong.append(f"{mapped.role}.{column}: {shown} instead of {value or 'null'}")
    return wrong


def _is_one_of(found: str | None, expected: Any) -> bool:
    """Whether what was found is expected; a list has what is as right, three dots stand for any."""
    if isinstance(expected, list):
        return any(_is_one_of(found, each or "null") for each in expected)
    if isinstance(expected, str) and "..." in expected and found is not None:
        return re.fullmatch(re.escape(expected).replace(r"\.\.\.", ".*"), found, re.S) is not None
    return found == expected
