"""The linter names SQL that PostgreSQL alone understands, wherever in a file it stands."""

from pathlib import Path

import pytest

from lint import dialect
from tests.app_database import parsed_project

REFUSED = {
    "select a::int": "::i",
    "select cast(a as text)": "as text)",
    "select cast(a as numeric)": "as numeric)",
    "select a\nwhere b ~ '^x'": "~",
    "select {{ f('cast(a as text)') }}": "as text)",
    "{% set x = \"date '2024-01-01' + 1\" %}": "date '2024-01-01' +",
    "select percentile_cont(0.5) within group (order by a)": "percentile_cont(",
    "where (a, b) is distinct from (c, d)": "(a, b) is distinct from",
    "select a at time zone 'UTC'": "at time zone",
}
TAKEN = [
    "select cast(a as numeric(18, 6)) -- a::int",
    "{# b ~ '^x' #} select {{ 'a' ~ b }}",
    "select {{ as_text('a') }}",
    "where a.x is distinct from b.x",
]


@pytest.mark.parametrize("sql", REFUSED)
def test_refused(tmp_path: Path, sql: str) -> None:
    """By file and line, with what to write instead."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "a.sql").write_text(f"-- a model\n{sql}\n")
    (problem,) = dialect.problems(tmp_path)
    line = 2 + sql.count("\n", 0, sql.index(REFUSED[sql]))
    assert problem.startswith(f"models/a.sql:{line}: `{REFUSED[sql]}` is PostgreSQL's: write ")


@pytest.mark.parametrize("sql", TAKEN)
def test_taken(tmp_path: Path, sql: str) -> None:
    """Comments, what Jinja joins, and standard SQL."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "a.sql").write_text(sql)
    assert list(dialect.problems(tmp_path)) == []


def test_dispatch_is_whole(tmp_path: Path) -> None:
    """With the project's name, and something for other engines."""
    (tmp_path / "macros" / "dialect").mkdir(parents=True)
    path = tmp_path / "macros" / "dialect" / "a.sql"
    path.write_text(
        "{% macro b() %}{{ adapter.dispatch('b')() }}{% endmacro %}"
        "{% macro postgres__b() %}x{% endmacro %}"
    )
    assert list(dialect.problems(tmp_path)) == [
        "macros/dialect/a.sql: has no macro a, which its name promises",
        "macros/dialect/a.sql: dispatches b without the project's name",
        "macros/dialect/a.sql: has no default__b: standard SQL, or missing_in_dialect(...)",
    ]


def test_every_engine_has_its_form(tmp_path: Path) -> None:
    """Where there is no standard SQL, each engine that the project builds on has SQL of its own."""
    (tmp_path / "macros" / "dialect").mkdir(parents=True)
    path = tmp_path / "macros" / "dialect" / "b.sql"
    path.write_text(
        "{% macro b() %}{{ adapter.dispatch('b', 'paygen')() }}{% endmacro %}"
        "{% macro default__b() %}{{ missing_in_dialect('be') }}{% endmacro %}"
    )
    assert list(dialect.problems(tmp_path)) == [
        "macros/dialect/b.sql: has no spark__b, and default__b only says that it is missing"
    ]
    path.write_text(path.read_text() + "{% macro spark__b() %}x{% endmacro %}")
    assert list(dialect.problems(tmp_path)) == []


def test_what_spark_leaves_out_is_left_out_whole() -> None:
    """Reasons of failures, and each model that reads one: else the project has no graph there."""
    models = {
        name: node for name, node in parsed_project().nodes.items() if node.resource_type == "model"
    }
    left_out = {
        name
        for name, node in models.items()
        if "target.type != 'spark'" in str(node.unrendered_config.get("enabled"))
    }
    readers = {name for name, node in models.items() if set(node.depends_on.nodes) & left_out}
    assert left_out
    assert readers <= left_out
