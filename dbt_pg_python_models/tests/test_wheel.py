"""The package as others get it: built, installed, and used by a project that has nothing else."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from dbt_project import DbtProject

PACKAGE = Path(__file__).resolve().parents[1]


def blocks(section: str, language: str) -> list[str]:
    """The fenced blocks of a section of the README."""
    readme = (PACKAGE / "README.md").read_text()
    text = readme.split(f"# {section}\n")[1].split("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.mark.long
def test_the_wheel_as_the_readme_has_it(dbt_project: DbtProject, tmp_path: Path) -> None:
    """Its commands, as they are written, then its model in a project without a macro."""
    shutil.copytree(
        PACKAGE, tmp_path / PACKAGE.name, ignore=shutil.ignore_patterns("tests", "__pycache__")
    )
    # Its build downloads from a code host; dbt works without it.
    (tmp_path / "overrides.txt").write_text(
        "dbt-core-experimental-parser; sys_platform == 'none'\n"
    )
    environment = {
        name: value
        for name, value in os.environ.items()
        # UV_PYTHON names an environment to install into.
        if name not in ("VIRTUAL_ENV", "UV_PYTHON", "PYTHONPATH", "DBT_PG_PYTHON_MODELS")
    } | {
        "UV_OVERRIDE": "overrides.txt",
        "PATH": f"{PACKAGE.parent / '.tools' / 'bin'}:{os.environ['PATH']}",
    }

    def run(command: str) -> None:
        done = subprocess.run(
            ["bash", "-ec", command], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr

    (install,) = blocks("Install", "sh")
    run(install)
    assert {path.suffix for path in (tmp_path / "dist").iterdir()} >= {".gz", ".whl"}

    (model,) = blocks("dbt-pg-python-models", "python")
    dbt_project.write("models/slow_days.py", model.split("\n", 1)[1])
    dbt_project.write(
        "models/daily_usage.sql",
        "select date '2024-01-01' + n as day, n as generations from generate_series(1, 5) as n",
    )
    run(".venv/bin/dbt run --profiles-dir . --no-version-check")
    assert dbt_project.query("select day::text, generations from marts.slow_days order by 1") == [
        ("2024-01-02", 1),
        ("2024-01-03", 2),
    ]
    assert dbt_project.types("slow_days") == {"day": "date", "generations": "integer"}
