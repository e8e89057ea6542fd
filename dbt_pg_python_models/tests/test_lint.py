"""References that dbt overlooks are found, those it sees are not."""

from pathlib import Path

import pytest
from dbt_pg_python_models.lint import main, missed_calls, problems
from dbt_project import DbtProject

SEEN = """
def model(dbt, session):
    dbt.config(materialized="table")
    orders = dbt.ref("orders")
    both = [dbt.ref("a"), dbt.source("b", "c")]
    limit = dbt.config.get("limit", 10)
    return orders.merge(dbt.ref("users"))
"""


def test_what_dbt_sees_is_no_problem() -> None:
    """The safe forms."""
    assert missed_calls(SEEN) == []


@pytest.mark.parametrize(
    "expression",
    [
        'dbt.ref("up")[["id"]].copy()',
        'pd.merge(a, dbt.ref("up")[["id"]])',
        'pd.concat([dbt.ref("up") for _ in range(2)])',
        'dbt.source("up", "stream")["id"].max()',
        'helper(limit=1 + dbt.config.get("up"))',
        'helper(lambda: d.ref("up"))',
    ],
)
def test_what_dbt_overlooks_is_found(expression: str) -> None:
    """Each form in which dbt loses an edge of the graph."""
    code = f"def model(dbt, session):\n    x = 1\n    return {expression}\n"
    ((line, call),) = missed_calls(code)
    assert line == 3
    assert "up" in call


def test_dbt_does_overlook_it(dbt_project: DbtProject) -> None:
    """The reason for the lint: should dbt learn to see this, the lint goes quiet by itself."""
    code = "def model(dbt, session):\n    return dbt.ref('up')[['id']].copy()\n"
    dbt_project.write("models/up.sql", "select 1 as id")
    dbt_project.model("down", code)
    assert "KeyError: 'up'" in dbt_project.error("down")
    assert list(problems(dbt_project.folder / "models"))


def test_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """Exit code and text; broken files are named, not a trace."""
    monkeypatch.setattr("sys.argv", ["lint", str(tmp_path)])
    (tmp_path / "good.py").write_text(SEEN)
    assert main() == 0
    (tmp_path / "broken.py").write_text("def model(:")
    (tmp_path / "variable.py").write_text("def model(dbt, s):\n    return dbt.ref(name)\n")
    assert main() == 1
    said = capsys.readouterr().out
    assert "broken.py:1: " in said
    assert "variable.py: " in said
