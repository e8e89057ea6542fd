"""Who calls, through what: autocommit, a transaction pooler, other versions of dbt-postgres."""

import json
import os
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from local_postgres.dbt import run_dbt
from tests.app_database import PROJECT, AppDatabase, profiles_directory
from tests.cleanup.operator import OPERATOR, SYNC, Answer, Operator, settings
from tests.poolers import needs_pooler, pooler_of

UV = PROJECT / ".tools" / "bin" / "uv"
OLD_VERSIONS = ["1.7", "1.8", "1.9", "1.10"]


def all_steps(operator: Operator, way: Operator) -> None:
    """Rehearse, refuse, apply, verify and restore by `way`; `operator` looks at the outcome."""
    with operator.untouched():
        assert way.run("rehearse", accept=[SYNC]).success
        assert operator.schema_of("credit_pools") == ["public"]
        assert "CLEANUP-STALE-PLAN" in way.try_apply().codes
        assert operator.schema_of("cleanup_manifest") == []
        with operator.nothing_lost():
            assert way.apply().success
        assert operator.manifest() == ["archived"] * 4
        assert way.run("verify").success
        assert way.run("restore").success


def test_autocommit_makes_no_difference(operator: Operator, tmp_path: Path):
    """Autocommit makes no difference."""
    profile = (profiles_directory() / "profiles.yml").read_text()
    (tmp_path / "profiles.yml").write_text(
        profile.replace("type: postgres", "type: postgres\n      autocommit: true", 1)
    )
    way = Operator(operator.database)
    way.flags = ["--profiles-dir", str(tmp_path)]
    all_steps(operator, way)


def functions_left(operator: Operator) -> list[dict]:
    """The functions of the clean-up in any session of the server."""
    return operator.database.query("select proname from pg_proc where proname like 'cleanup\\_%'")


@needs_pooler
def test_a_transaction_pooler_makes_no_difference(operator: Operator):
    """The steps hold, the plan warns of the pooler, and its next client finds no setting left."""
    with pooler_of(operator.database, OPERATOR) as pooler:
        way = Operator(AppDatabase(pooler, operator.database.name))
        with ExitStack() as others:
            for _ in range(3):
                other = others.enter_context(way.database.connect())
                other.autocommit = False
                other.cursor().execute("select 1")
                others.callback(other.rollback)  # else the pooler closes the server process
        assert "transaction pooler" in way.plan().report["identity"]
        all_steps(operator, way)
        for _ in range(3):
            assert way.database.query("show lock_timeout") == [{"lock_timeout": "0"}]
        assert functions_left(operator) == []


def small_project(folder: Path, hook: str = "select 1", model: str = "") -> Path:
    """A project that holds the clean-up and next to nothing else."""
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())
    variables = {"cleanup": settings(), "closed_roles": project["vars"]["closed_roles"]}
    (folder / "dbt_project.yml").write_text(
        json.dumps(
            {
                "name": "paygen",
                "profile": "paygen",
                "macro-paths": ["macros"],
                "on-run-end": [hook],
                "vars": variables,
            }
        )
    )
    (folder / "models").mkdir()
    (folder / "models" / "one.sql").write_text(f"select 1 as one{model}")
    (folder / "macros").mkdir()
    for topic in ("cleanup", "security"):
        shutil.copytree(
            PROJECT / "macros" / topic,
            folder / "macros" / topic,
            ignore=shutil.ignore_patterns("*.yml"),
        )
    for path in ("config/node_named.sql", "dialect/text_literal.sql"):
        shutil.copy(PROJECT / "macros" / path, folder / "macros")
    return folder


@pytest.mark.parametrize("caller", ["hook", "model"])
def test_hooks_and_models_may_not_call_it(operator: Operator, tmp_path: Path, caller: str):
    """Hooks and models may not call it."""
    small_project(tmp_path, **{caller: "{{ cleanup_credit_pools(action='apply') }}"})
    operator.database.execute("grant create, usage on schema analytics to app_owner")
    texts: list[str] = []
    with operator.untouched():
        os.environ.update(operator.database.environment(OPERATOR))
        result = run_dbt(
            ["run", "--log-level-file", "none"],
            project=tmp_path,
            profiles=profiles_directory(),
            target=tmp_path / "target",
            logs=tmp_path / "logs",
            callbacks=[lambda event: texts.append(event.info.msg)],
        )
    assert not result.success
    assert "CLEANUP-CONTEXT" in "\n".join(texts)


class OldOperator(Operator):
    """Runs the operation by another version of dbt-postgres, in an environment of its own."""

    project: Path
    version: str

    def run(self, action: str, user: str | None = None, **arguments: object) -> Answer:
        """One operation with JSON output; never raises for a refusal."""
        done = subprocess.run(
            [
                *(UV, "run", "--quiet", "--isolated", "--no-project", "--python", "3.11"),
                *(
                    "--with",
                    f"dbt-postgres=={self.version}.*",
                    "--with",
                    f"dbt-core=={self.version}.*",
                ),
                *("dbt", "run-operation", "cleanup_credit_pools"),
                *("--args", json.dumps({"action": action, "output": "json", **arguments})),
                *("--profiles-dir", profiles_directory()),
            ],
            cwd=self.project,
            env={**os.environ, **self.database.environment(user or self.user)},
            capture_output=True,
            text=True,
        )
        reports = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        text = done.stdout + done.stderr
        assert f"Registered adapter: postgres={self.version}." in text
        return Answer(done.returncode == 0, text, reports[0] if reports else {})


@pytest.mark.long
@pytest.mark.parametrize("version", OLD_VERSIONS)
def test_older_versions_of_the_adapter_make_no_difference(
    operator: Operator, tmp_path: Path, version: str
):
    """Older versions of the adapter make no difference."""
    way = OldOperator(operator.database)
    way.project, way.version = small_project(tmp_path), version
    all_steps(operator, way)
