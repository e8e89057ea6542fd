"""Trials, `dbt build --empty` and `--sample`: built in full, beside what readers read."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from demo.generator import History, generate
from local_postgres.server import Server
from tests.app_database import PROJECT, AppDatabase, profiles_directory
from tests.conftest import make_database
from tests.dashboard.serving import READER
from tests.incremental.test_what_stays import relations_and_rows

pytestmark = pytest.mark.long
FACTS = "select generation_id from analytics_trial.fct_generations"


@pytest.fixture(scope="module")
def built(server: Server) -> AppDatabase:
    """An app that wrote until now, with all marts of plain SQL, and a reader."""
    database = make_database(server, "trials")
    with database.connect() as connection:
        generate(connection, History(datetime.now(UTC), 300, months=3, seed=3))
    return database


def dbt(database: AppDatabase, target: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A dbt of its own, as from a shell, which keeps the parsed project in `target`."""
    environment = {
        **os.environ,
        **database.environment(),
        **{"DBT_PROFILES_DIR": str(profiles_directory()), "DBT_TARGET_PATH": str(target)},
        **{"DBT_LOG_PATH": str(target), "DBT_SEND_ANONYMOUS_USAGE_STATS": "0"},
    }
    return subprocess.run(
        [str(PROJECT / ".venv" / "bin" / "dbt"), "--no-use-colors", *arguments],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_trials_leave_alone_what_readers_read(built: AppDatabase, tmp_path: Path) -> None:
    """Every model, Python ones too, and every test passes; the next run goes on as before."""
    frequent = ("build", "--selector", "frequent")
    variables = ("--vars", f"{{reader_roles: [{READER}]}}")
    first = dbt(built, tmp_path, "build", "--resource-type", "model", "seed", *variables)
    assert first.returncode == 0, first.stdout
    before = relations_and_rows(built)
    assert len(before) > 50
    facts = {row["generation_id"] for row in built.query(FACTS.replace("_trial", ""))}
    for option, rows in ((["--empty"], (0, 0)), (["--sample", "30 days"], (1, len(facts) - 1))):
        trial = dbt(built, tmp_path, "build", *option, *variables)
        assert trial.returncode == 0, trial.stdout
        assert "ERROR=0 SKIP=0" in trial.stdout
        found = {row["generation_id"] for row in built.query(FACTS)}
        assert rows[0] <= len(found) <= rows[1]
        assert found <= facts
        after = relations_and_rows(built)
        assert {name: after[name] for name in before} == before
        assert not built.query(
            "select 1 where has_schema_privilege(%s, 'analytics_trial', 'usage')", [READER]
        )
    for command in (("seed", "--empty"), ("run", "--empty", "--select", "monthly_usage")):
        assert dbt(built, tmp_path, *command, *variables).returncode == 0
    after = relations_and_rows(built)
    assert {name: after[name] for name in before} == before
    # The project is not parsed anew, and nothing of a trial is taken for history.
    following = dbt(built, tmp_path, *frequent, *variables)
    assert following.returncode == 0, following.stdout
    assert "partial parsing" not in following.stdout
    assert {row["generation_id"] for row in built.query(FACTS.replace("_trial", ""))} == facts
