"""CONTRIBUTING.md, as a newcomer follows it, and what stands in two places."""

import os
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.app_database import PROJECT
from tests.docs.documents import commands, read
from tests.setup.conftest import clone_to
from tests.setup.test_your_own_database import run

CONTRIBUTING = "CONTRIBUTING.md"


@pytest.mark.long
def test_one_test_is_run() -> None:
    """Each command of the section runs some tests, and they pass."""
    for command in commands(CONTRIBUTING, "Run tests"):
        assert re.search(r"[1-9]\d* passed", run(PROJECT, command)), command


@pytest.mark.long
def test_the_long_tests_are_found() -> None:
    """What `make test-long` runs selects tests; they take too long to be run here."""
    recipe = run(PROJECT, "make --dry-run test-long").splitlines()[-1]
    selected = run(PROJECT, f"{recipe} --collect-only -q tests/setup")
    assert "tests/setup/test_clone.py::test_the_demo_as_the_readme_has_it" in selected


@pytest.mark.long
def test_the_tests_of_bi_are_found() -> None:
    """What `make test-bi` runs selects its tests, which the default run leaves out."""
    recipe = run(PROJECT, "make --dry-run test-bi").splitlines()[-1]
    selected = run(PROJECT, f"{recipe} --collect-only -q")
    assert "tests/bi/test_superset.py::test_the_reader_reaches_nothing_but_the_marts" in selected
    by_default = run(PROJECT, f"{recipe.split(' tests/')[0]} tests/bi --collect-only -q || true")
    assert "no tests collected (" in by_default


@pytest.mark.long
def test_the_tests_of_spark_are_found() -> None:
    """What `make test-spark` sets up and runs selects its tests, which need Spark and Java."""
    recipe = run(PROJECT, "make --dry-run test-spark").splitlines()
    assert any("--group spark" in line and line.split()[1] == "sync" for line in recipe)
    selected = run(PROJECT, f"{recipe[-1].replace('--group spark ', '')} --collect-only -q")
    assert "tests/spark/test_spark.py::test_sample" in selected


@pytest.mark.long
def test_git_runs_the_checks(tmp_path: Path) -> None:
    """The quick checks before a commit, which stop one that they find wrong; all before a push."""
    folder = clone_to(tmp_path / "clone")
    environment = {
        "GIT_AUTHOR_NAME": "ann",
        "GIT_AUTHOR_EMAIL": "ann@example.com",
        "GIT_COMMITTER_NAME": "ann",
        "GIT_COMMITTER_EMAIL": "ann@example.com",
        "PRE_COMMIT_HOME": str(tmp_path / "pre-commit"),
        # The environment of this project, as it is: the clone needs none of its own.
        "UV_PROJECT_ENVIRONMENT": str(PROJECT / ".venv"),
        "UV_NO_SYNC": "1",
    }
    run(folder, "git init --quiet && git add --all")
    for command in commands(CONTRIBUTING, "Set up")[1:]:
        run(folder, command, **environment)
    assert os.access(folder / ".git/hooks/pre-push", os.X_OK)
    run(folder, "git commit --quiet --message 'Begin'", **environment)
    (folder / "lint" / "careless.py").write_text("import os\n")
    run(folder, "git add --all", **environment)
    said = run(folder, "! git commit --message 'Be careless'", **environment)
    assert "failed  Python rules" in said
    assert "passed  YAML keys" in said
    assert "dbt manifest" not in said


def test_hooks_have_no_versions_of_their_own() -> None:
    """Each calls the project's own checks, whose versions are in uv.lock."""
    hooks = yaml.safe_load(read(".pre-commit-config.yaml"))
    assert [source["repo"] for source in hooks["repos"]] == ["local"]


def test_actions_are_pinned() -> None:
    """By the full SHA of a commit: a tag can be moved."""
    for workflow in (PROJECT / ".github" / "workflows").glob("*.yml"):
        for used in re.findall(r"uses: *(.*)", workflow.read_text()):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", used), used


def test_ci_runs_each_python_that_is_supported() -> None:
    """`requires-python` and the matrix name the same versions."""
    required = tomllib.loads(read("pyproject.toml"))["project"]["requires-python"]
    least, below = (int(minor) for minor in re.findall(r"3\.(\d+)", required))
    workflow = yaml.safe_load(read(".github/workflows/ci.yml"))
    tested = workflow["jobs"]["gate"]["strategy"]["matrix"]["python"]
    assert tested == [f"3.{minor}" for minor in range(least, below)]


def test_the_version_is_the_same_everywhere() -> None:
    """A release writes it into dbt's project, Python's, the lock and the changelog."""
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    locked = tomllib.loads(read("uv.lock"))["package"]
    assert yaml.safe_load(read("dbt_project.yml"))["version"] == version
    assert [each["version"] for each in locked if each["name"] == "paygen"] == [version]
    assert f"\n## {version}\n" in read("CHANGELOG.md")
