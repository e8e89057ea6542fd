"""Small databases in odd but plausible states: a few commands each, and the right answers.

README.md says what a case's folder holds.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg2
import pytest
import yaml
from dbt_common.events.base_types import EventMsg

from local_postgres.databases import create_database
from local_postgres.server import Server
from tests.app_database import BUILD_ROLE, PROJECT, AppDatabase, database_name, invoke
from tests.app_database import parsed_project as shared_project

CASES = Path(__file__).parent
BUILD = ["build", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]
WITHOUT_PYTHON = [
    *BUILD,
    "--exclude",
    "tag:python",
]  # for what needs no forecast
SCHEMAS = ("analytics", "analytics_staging", "analytics_intermediate", "analytics_seeds")
# What dbt fixes when it parses the project, so that the shared one does not serve.
FIXED_WHEN_PARSED = {
    "app_schema",
    "credit_transactions_table",
    "enhancement_tasks_table",
    "user_credits_table",
    "system_alerts_table",
    "reader_roles",
}
EVERY_RUN = (
    "charges_without_effect",
    "holds_released",
    "micro_costs",
    "negative_adjustment",
    "plain",
    "request_id_without_dashes",
    "reserved_reversed",
    "retries",
)


def alternative_name(table: str, column: str, name: str) -> Callable[[Path], None]:
    """An edit of a project: one more name that a column of the app may have."""
    return source_meta(
        table, column, lambda meta: {"alternatives": [*meta.get("alternatives", []), name]}
    )


def source_meta(
    table: str, column: str, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> Callable[[Path], None]:
    """An edit of a project: what the sources' YAML says of a column."""

    def edit(project: Path) -> None:
        path = project / "models" / "staging" / "app" / "_app__sources.yml"
        text = yaml.safe_load(path.read_text())
        [source] = [each for each in text["sources"][0]["tables"] if each["name"] == table]
        [found] = [each for each in source["columns"] if each["name"] == column]
        meta = found.setdefault("config", {}).setdefault("meta", {})
        meta.update(change(meta))
        path.write_text(yaml.safe_dump(text, sort_keys=False))

    return edit


EDITS = {
    "needs_task_id_alternative": alternative_name("enhancement_tasks", "id", "task_id"),
    "needs_user_id_alternative": alternative_name("user_credits", "user_id", "account_id"),
}


@dataclass
class Printed:
    """What one dbt command printed, and whether it succeeded."""

    success: bool = True
    lines: list[str] = field(default_factory=list)

    def __call__(self, event: EventMsg) -> None:
        """Keep what dbt prints at its default level, as a callback of the runner."""
        if event.info.level in ("info", "warn", "error"):
            self.lines.append(event.info.msg)

    @property
    def text(self) -> str:
        """All of it, without colours."""
        return re.sub(r"\x1b\[\d*m", "", "\n".join(self.lines))


@dataclass
class Runner:
    """One case in its own database; `is_edited`: with a copy of the project, to be parsed anew."""

    database: AppDatabase
    case: Mapping[str, Any]
    is_edited: bool = False
    remembered: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """All steps in order, up to the first that is wrong."""
        for number, step in enumerate(self.case["steps"], 1):
            if "sql" in step:
                self.database.execute(step["sql"])
            printed = Printed()
            if "args" in step or "sql" not in step:
                printed = self._dbt(step)
            outcomes = [step, *step.get("or", [])]
            wrong = [self._wrong(outcome, printed) for outcome in outcomes]
            if all(wrong):
                reasons = "\n  or ".join("; ".join(each) for each in wrong)
                raise AssertionError(
                    f"step {number}: {self.case['answer']}\n  {reasons}\n{printed.text[-3000:]}"
                )
            if outcomes[wrong.index([])].get("nothing_built"):
                return
            self._remember(step.get("remember", {}), printed)

    def _dbt(self, step: Mapping[str, Any]) -> Printed:
        variables = self.case.get("vars", {}) | step.get("vars", {})
        build = BUILD if "forecast" in json.dumps(self.case) else WITHOUT_PYTHON
        command = [self._fill(argument) for argument in step.get("args", build)]
        if variables:
            command += ["--vars", json.dumps(variables)]
        printed = Printed()
        parses = self.is_edited or FIXED_WHEN_PARSED & set(variables)
        environment = self.database.environment(step.get("user", BUILD_ROLE))
        # The role `postgres` of a case is the server's superuser.
        environment["PGUSER"] = environment["PGUSER"].replace("postgres", self.database.server.user)
        with patch.dict("os.environ", environment):
            result = invoke(
                command,
                manifest=None if parses else shared_project(),
                callbacks=[printed],
            )
        printed.success = result.success
        if result.exception:
            printed.lines.append(str(result.exception))
        return printed

    def _fill(self, argument: str) -> str:
        for name, value in self.remembered.items():
            argument = argument.replace(f"<{name}>", value)
        return argument

    def _remember(self, patterns: Mapping[str, str], printed: Printed) -> None:
        for name, pattern in patterns.items():
            self.remembered[name] = re.search(pattern, printed.text).group(1)

    def _wrong(self, outcome: Mapping[str, Any], printed: Printed) -> list[str]:
        """What of an outcome does not hold; nothing where all of it does."""
        expected = outcome.get("expect_rc", 0)
        reasons = []
        if expected != "any" and printed.success != (expected == 0):
            return [f"dbt {'succeeded' if printed.success else 'failed'}"]
        for pattern in outcome.get("expect_words", []):
            if not re.search(pattern, printed.text, re.IGNORECASE):
                reasons.append(f"nothing printed matches {pattern!r}")
        for pattern in outcome.get("expect_no_words", []):
            if re.search(pattern, printed.text, re.IGNORECASE):
                reasons.append(f"what is printed matches {pattern!r}")
        if outcome.get("nothing_built") and self._relations():
            reasons.append("something is built")
        if "run_printed" in outcome:
            for statement in re.findall(outcome["run_printed"], printed.text, re.IGNORECASE):
                try:
                    self.database.execute(statement)
                except psycopg2.Error as error:
                    reasons.append(f"{statement!r}: {error}")
        for check in outcome.get("checks", []):
            try:
                rows = self._rows(check["sql"], check.get("user"))
            except psycopg2.Error as error:
                reasons.append(f"{check['sql']}: {error}")
                continue
            if not _is_match(check["expect"], rows):
                reasons.append(f"{check['sql']}: {rows} is not {check['expect']}")
        return reasons

    def _rows(self, sql: str, user: str | None) -> list[list[Any]]:
        with self.database.connect(user) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return [[_shown(value) for value in row] for row in cursor.fetchall()]

    def _relations(self) -> list[dict[str, Any]]:
        return self.database.query(
            "select relname from pg_class where relnamespace in"
            " (select oid from pg_namespace where nspname like 'analytics%')"
        )


def _shown(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo:
        value = value.astimezone(UTC).replace(tzinfo=None)
    if value is None or isinstance(value, bool | int | Decimal):
        return value
    return Decimal(str(value)) if isinstance(value, float) else str(value)


def _is_match(expected: list[list[Any]], rows: list[list[Any]]) -> bool:
    return len(expected) == len(rows) and all(
        len(wanted) == len(row) and all(map(_is_value, wanted, row))
        for wanted, row in zip(expected, rows, strict=True)
    )


def _is_value(expected: Any, found: Any) -> bool:
    if isinstance(expected, list):
        low, high = (Decimal(str(bound)) for bound in expected)
        return isinstance(found, int | Decimal) and low <= found <= high
    if isinstance(found, bool) or expected is None or found is None:
        return expected is found
    if isinstance(found, int | Decimal):
        return Decimal(str(expected)) == found
    return str(expected) == found


def make_case_database(server: Server, name: str, case: Mapping[str, Any]) -> AppDatabase:
    """A new database in the state of a case, with the build role's rights."""
    database = AppDatabase(server, database_name("test"))
    create_database(server, database.name, case.get("createdb", ""))
    database.execute((PROJECT / "setup" / "roles.sql").read_text())
    database.execute((CASES / "_standard.sql").read_text())
    database.execute((CASES / name / "setup.sql").read_text())
    database.execute(f"grant create on database {database.name} to {BUILD_ROLE}")
    for schema in case.get("schemas", ["public"]):
        database.execute(f'grant usage on schema "{schema}" to {BUILD_ROLE}')
        database.execute(f'grant select on all tables in schema "{schema}" to {BUILD_ROLE}')
    for schema in SCHEMAS:
        database.execute(f"create schema {schema} authorization {BUILD_ROLE}")
    return database


def edit_project(edit: Callable[[Path], None], folder: Path, stack: ExitStack) -> None:
    """Make an edit in a copy of the project, which dbt runs until the stack is closed."""
    project = folder / "project"
    project.mkdir()
    for path in ("dbt_project.yml", "selectors.yml", "profiles.yml.example", ".dbtignore"):
        shutil.copy(PROJECT / path, project)
    for path in ("models", "macros", "seeds", "analyses", "tests/generic", "tests/singular"):
        shutil.copytree(PROJECT / path, project / path)
    edit(project)
    target = folder / "target"
    stack.enter_context(patch("tests.app_database.PROJECT", project))
    stack.enter_context(patch("tests.app_database.target_directory", lambda: target))


def _locales() -> list[str]:
    """The system's, by which a server can make databases."""
    return subprocess.run(["locale", "-a"], capture_output=True, text=True).stdout.split()


NAMES = [path.parent.name for path in sorted(CASES.glob("*/case.json"))]


@pytest.mark.parametrize(
    "name",
    [name if name in EVERY_RUN else pytest.param(name, marks=pytest.mark.long) for name in NAMES],
)
def test_case(name: str, server: Server, tmp_path: Path) -> None:
    case = json.loads((CASES / name / "case.json").read_text())
    assert ("needs" in case) == (name in EDITS)
    if "locale" in case and case["locale"] not in _locales():
        pytest.skip(f"the system has no locale {case['locale']}")
    with ExitStack() as stack:
        if "needs" in case:
            edit_project(EDITS[name], tmp_path, stack)
        Runner(make_case_database(server, name, case), case, "needs" in case).run()
