"""Databases of other apps, and the project with a mapping of each."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml

from local_postgres.server import Server
from tests.app_database import BUILD_ROLE, AppDatabase, invoke, messages
from tests.cases.test_cases import Printed, edit_project
from tests.conftest import make_database

AS_OF = "2024-05-20T00:00:00Z"
HERE = Path(__file__).parent
STUDIO = (HERE / "studio.sql").read_text()
STUDIO_MAPPING = (HERE / "studio.yml").read_text()


class Foreign:
    """A foreign app's database, and a copy of the project that dbt reads its mapping from."""

    def __init__(self, database: AppDatabase, project: Path) -> None:
        self.database = database
        self.file = project / "mapping" / "app.yml"

    def map(self, text: str) -> None:
        """Write the mapping."""
        self.file.write_text(text)

    def build(self, *arguments: str, **variables: Any) -> Printed:
        """Run one dbt command, a build without tests if none is named, with a parse."""
        command = arguments or (
            *("build", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"),
            *("--exclude", "tag:python"),
        )
        settings = {"as_of": AS_OF} | variables
        printed = Printed()
        with patch.dict("os.environ", self.database.environment(BUILD_ROLE)):
            result = invoke(
                [*command, "--vars", yaml.safe_dump(settings)],
                project=self.file.parents[1],
                target=self.file.parents[2] / "target",
                callbacks=[printed],
            )
        printed.success = result.success
        printed.lines.append(messages(result))
        return printed

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a query answers."""
        return [tuple(map(_plain, row.values())) for row in self.database.query(sql)]

    def relations(self) -> list[tuple[Any, ...]]:
        """What stands in our schemas."""
        return self.rows(
            "select oid::regclass::text from pg_class where relkind in ('r', 'v')"
            " and relnamespace::regnamespace::text like 'analytics%'"
        )


def _plain(value: Any) -> Any:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value


@contextmanager
def foreign_app(server: Server, folder: Path, sql: str) -> Iterator[Foreign]:
    """A database made by `sql`, readable by the build role, and a project to map it in."""
    database = make_database(server, "foreign")
    database.execute(sql)
    for row in database.query(
        "select nspname from pg_namespace where nspname !~ '^(pg_|information|analytics)'"
    ):
        database.execute(
            f"grant usage on schema {row['nspname']} to {BUILD_ROLE};"
            f"grant select on all tables in schema {row['nspname']} to {BUILD_ROLE}"
        )
    with ExitStack() as stack:
        edit_project(lambda project: (project / "mapping").mkdir(exist_ok=True), folder, stack)
        yield Foreign(database, folder / "project")
