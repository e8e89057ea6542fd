"""The schedule's file: what it may say, and that the project's own is what the documents say."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from reader.problems import Problem
from scheduler import schedule
from tests.app_database import PROJECT
from tests.docs.documents import commands

GOOD = {"runs": {"frequent": {"when": "*/5 * * * *", "command": "build --selector frequent"}}}


def test_the_project_s_own_is_the_schedule_of_the_documents() -> None:
    plan = schedule.read(PROJECT / "schedule.yml")
    written = [
        line.split(" dbt ", 1)[1]
        for line in commands("docs/operations.md", "Schedule")
        if " dbt " in line
    ]
    assert sorted(" ".join(run.command) for run in plan.runs) == sorted(written)
    assert [run.selector for run in plan.runs] == ["frequent", "daily", "weekly", "freshness"]


def test_when_a_run_is_due(tmp_path: Path) -> None:
    runs = {
        "nightly": {"when": "10 2 * * *", "command": "build"},
        "weekly": {"when": "10 4 * * Sun", "command": "build"},
    }
    file = tmp_path / "schedule.yml"
    file.write_text(yaml.safe_dump({"timezone": "Europe/Berlin", "runs": runs}))
    now = datetime(2024, 3, 30, 12, tzinfo=UTC)  # the clock goes forward in the next night
    due = {
        run.name: run.trigger.get_next_fire_time(None, now).astimezone(UTC)
        for run in schedule.read(file).runs
    }
    # 02:10 is no time of that night: the run comes an hour later by the clock, and is not left out.
    assert now < due["nightly"] < now + timedelta(hours=14)
    assert due["weekly"] == datetime(2024, 3, 31, 2, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"runs": {}}, "non-empty"),
        ({"every": 5}, "'every' was unexpected"),
        ({"timezone": "Mars/Olympus"}, "nobody knows 'Mars/Olympus'"),
        ({"stop_within_seconds": -1}, "less than the minimum"),
        ({"frequent": {"command": "build"}}, "'when' is a required property"),
        ({"frequent": {"when": "*/5 * * *"}}, "has not five fields"),
        ({"frequent": {"when": "0 0 * * 0"}}, "by its name"),
        ({"frequent": {"when": "0 0 1 * sun"}}, "name one of them"),
        ({"frequent": {"when": "61 * * * *"}}, "is no time"),
        ({"frequent": {"retries": "often"}}, "is not of type 'integer'"),
        ({"frequent": {"command": "dbt build"}}, "what follows `dbt`"),
        ({"frequent": {"command": "build 'open"}}, "No closing quotation"),
        ({"frequent": {"command": "build --vars '{a: 1}'"}}, "--vars cannot differ"),
        ({"frequent": {"command": "build --target=dev"}}, "set DBT_TARGET"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(
    tmp_path: Path, change: dict[str, object], sentence: str
) -> None:
    contents: dict[str, object] = {**GOOD, **{k: v for k, v in change.items() if k != "frequent"}}
    if "frequent" in change:
        changed = change["frequent"]
        whole = GOOD["runs"]["frequent"] if changed != {"command": "build"} else {}
        contents["runs"] = {"frequent": {**whole, **changed}}  # type: ignore[dict-item]
    file = tmp_path / "schedule.yml"
    file.write_text(yaml.safe_dump(contents))
    with pytest.raises(Problem) as problem:
        schedule.read(file)
    assert sentence in problem.value.sentence
    assert str(file) in problem.value.sentence
    assert len(problem.value.sentence.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "sentence"), [(None, "cannot be read"), ("runs: [", "is no YAML"), ("", "not of type")]
)
def test_what_is_no_schedule_is_one_sentence(
    tmp_path: Path, text: str | None, sentence: str
) -> None:
    file = tmp_path / "schedule.yml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(Problem, match=re.escape(sentence)):
        schedule.read(file)
