"""Each way of running the schedule that docs/operations.md shows, tried on real marts."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from demo.generator import History, generate
from local_postgres.server import Server
from tests.app_database import PROJECT, AppDatabase, profiles_directory
from tests.conftest import make_database
from tests.docs.documents import commands
from tests.serve.resident import Scheduler, until, write_missed
from tests.setup.conftest import clone_to
from tests.setup.test_your_own_database import run

pytestmark = pytest.mark.long
HISTORY = "select * from analytics.run_history order by started_at"


@pytest.fixture(scope="module")
def built(server: Server) -> AppDatabase:
    """An app that wrote until now, with all of its marts."""
    database = make_database(server, "examples")
    with database.connect() as connection:
        generate(connection, History(datetime.now(UTC), 300, months=2, seed=1))
    database.dbt("build", "--resource-type", "model", "seed", parse=True)
    return database


@pytest.fixture(scope="module")
def clone() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="paygen-clone-") as folder:
        yield clone_to(Path(folder) / "paygen")


def variables(database: AppDatabase) -> dict[str, str]:
    """What production sets, and the tests' own profile."""
    return {
        **database.environment(),
        "DBT_EXCLUDE_RESOURCE_TYPES": "unit_test test",
        "DBT_PROFILES_DIR": str(profiles_directory()),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "0",
        "PAYGEN_CHANNELS": "",
    }


def cache() -> dict[str, str]:
    """Where uv keeps what it has downloaded, whatever HOME is."""
    home = Path.home() / ".cache" / "uv"
    return {"UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR") or str(home)}


def test_runs_of_the_scheduler_and_of_a_person_stand_alike_in_the_record(
    built: AppDatabase, tmp_path: Path
) -> None:
    """One that was missed, then one by hand; health is 200, and nothing is left behind."""
    shutil.copy(PROJECT / "schedule.yml", tmp_path)
    write_missed(tmp_path / "runs.json", "frequent")
    environment = {**variables(built), "DBT_EXCLUDE_RESOURCE_TYPES": "unit_test"}
    with Scheduler(tmp_path, **environment) as scheduler:
        scheduler.wait_for("frequent succeeded", 120)
        until(lambda: scheduler.health()[1]["runs"]["frequent"]["last"]["ended_at"], 9, str)
        status, health = scheduler.health()
        assert scheduler.end() == 0
    assert (status, health["problems"]) == (200, [])
    assert 0 <= health["data"]["age_seconds"] < 120
    assert set(health["runs"]) == {"frequent", "nightly", "weekly", "freshness"}
    assert health["runs"]["nightly"]["next_at"] > datetime.now(UTC).isoformat()
    built.dbt("build", "--selector", "frequent", parse=True)
    *_, by_scheduler, by_hand = built.query(HISTORY)
    own = {"invocation_id", "started_at", "ended_at", "seconds", "written_rows"}
    assert {k: v for k, v in by_scheduler.items() if k not in own} == {
        k: v for k, v in by_hand.items() if k not in own
    }
    assert by_scheduler["status"] == "succeeded"
    assert by_scheduler["selector"] == "frequent"
    assert by_scheduler["seconds"] > 0
    assert by_scheduler["written_rows"] >= 0
    ours = "select 1 from pg_stat_activity where usename = 'paygen'"
    until(lambda: not built.query(ours), 9, lambda: "a session is left behind")


def test_the_command_of_the_documents(built: AppDatabase, tmp_path: Path) -> None:
    """`make serve`, until SIGTERM."""
    (command,) = commands("docs/operations.md", "A scheduler")
    environment = {**os.environ, **variables(built), "XDG_STATE_HOME": str(tmp_path)}
    process = subprocess.Popen(
        ["timeout", "--signal=INT", "20", *command.split(), "PORT=0"],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = process.communicate(timeout=120)[0]
    assert "health is at http://127.0.0.1:" in said
    assert "nightly is due at" in said


def test_the_lines_of_the_crontab(built: AppDatabase, clone: Path) -> None:
    """By sh, from anywhere, with nothing of this terminal's."""
    (clone / "profiles.yml").write_text((PROJECT / "profiles.yml.example").read_text())
    home = clone.parent
    text = (PROJECT / "deploy" / "crontab").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(lines) == 3
    names = ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "DBT_EXCLUDE_RESOURCE_TYPES")
    (home / "paygen.env").write_text(
        "".join(f"export {name}='{variables(built)[name]}'\n" for name in names)
    )
    before = len(built.query(HISTORY))
    for line in lines:
        command = line.split(maxsplit=5)[5]
        # The Python models take a minute at the smallest scale.
        command += " --exclude tag:python" if "frequent" not in command else ""
        command = (
            re.sub(r"--selector (daily|weekly)", "", command) if "python" in command else command
        )
        run(Path("/"), command, HOME=str(home), **cache())
    assert [each["status"] for each in built.query(HISTORY)[before:]] == ["succeeded"] * 3


def test_the_steps_of_the_github_workflow(built: AppDatabase, clone: Path) -> None:
    """Each schedule of it has a command, and the frequent one is run as written."""
    workflow = yaml.safe_load((PROJECT / "deploy" / "github-actions.yml").read_text())
    job = workflow["jobs"]["run"]
    install, build = [step for step in job["steps"] if "run" in step]
    run(clone, install["run"], **cache())
    crons = [each["cron"] for each in workflow[True]["schedule"]]  # YAML 1.1 reads `on` as true
    assert [f'"{cron}")' in build["run"] for cron in crons] == [True] * 3
    before = len(built.query(HISTORY))
    run(clone, build["run"], SCHEDULE=crons[0], **variables(built), **cache())
    (added,) = built.query(HISTORY)[before:]
    assert (added["selector"], added["status"]) == ("frequent", "succeeded")
    pinned = [step["uses"] for step in job["steps"] if "uses" in step]
    assert all(re.search(r"@[0-9a-f]{40}$", each) for each in pinned)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """With the paths of this checkout instead of /opt/paygen."""
    text = (PROJECT / "deploy" / "paygen.service").read_text()
    text = text.replace("/opt/paygen", str(PROJECT)).replace("User=paygen", "User=root")
    (tmp_path / "paygen.service").write_text(text)
    answer = subprocess.run(
        ["systemd-analyze", "verify", tmp_path / "paygen.service"], capture_output=True, text=True
    )
    assert (answer.returncode, answer.stderr) == (0, "")


def test_the_commands_of_the_container_file(built: AppDatabase, clone: Path) -> None:
    """Those that install and start, in a copy of what the image gets."""
    text = (PROJECT / "deploy" / "Containerfile").read_text()
    steps = re.findall(r"(?m)^(RUN|CMD|ENV) (.+)$", text)
    installs = [value for kind, value in steps if kind == "RUN" and "uv sync" in value]
    prepares = [value for kind, value in steps if kind == "RUN" and "profiles.yml" in value]
    (start,) = [value for kind, value in steps if kind == "CMD"]
    (settings,) = [value for kind, value in steps if kind == "ENV"]
    assert len(installs) == len(prepares) == 1
    folder = clone.parent / "image"
    ignored = (PROJECT / "deploy" / "containerignore").read_text().split()
    assert {".*", "!.env", "!.dbtignore", "profiles.yml", "target"} <= set(ignored)
    shutil.copytree(clone, folder, ignore=shutil.ignore_patterns(".venv", ".tools", "target"))
    path = f"{PROJECT / '.tools' / 'bin'}:{os.environ['PATH']}"
    for command in (*installs, *prepares):
        run(folder, command, PATH=path, **cache())
    values = dict(each.split("=") for each in settings.split())
    values["XDG_STATE_HOME"] = str(folder.parent / "state")
    command = " ".join(yaml.safe_load(start))
    said = run(
        folder,
        f"timeout --signal=TERM 15 {command} --port 0 || true",
        **{**variables(built), **values, "DBT_PROFILES_DIR": str(folder)},
    )
    assert "health is at http://127.0.0.1:" in said
    assert said.rstrip().endswith("ended")
    (probe,) = re.findall(r"HEALTHCHECK .* CMD (\[.+\])", text)
    assert "http://127.0.0.1:8422/health" in yaml.safe_load(probe)[-1]
