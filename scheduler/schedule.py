"""The schedule: a small YAML file, checked before anything runs."""

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from apscheduler.triggers.cron import CronTrigger
from apscheduler.util import astimezone

from reader.problems import Problem

SCHEMA = Path(__file__).with_name("schedule.schema.json")
# They change how the project is parsed, and it is parsed once for all runs.
PARSED_ONCE = {
    "--vars": "set variables in dbt_project.yml",
    "--target": "set DBT_TARGET",
    "-t": "set DBT_TARGET",
    "--profile": "set DBT_PROFILE",
    "--profiles-dir": "set DBT_PROFILES_DIR",
    "--project-dir": "use the scheduler's own --project-dir",
    "--target-path": "set DBT_TARGET_PATH",
}


@dataclass(frozen=True)
class Run:
    """One kind of run.

    Attributes:
        name: by which people know it.
        command: what dbt is told.
        trigger: when it is due.
        retries: how often it is tried again after a failure.
        retry_after_minutes: how long after it.
    """

    name: str
    command: tuple[str, ...]
    trigger: CronTrigger
    retries: int = 0
    retry_after_minutes: int = 5

    @property
    def selector(self) -> str:
        """By what the record of runs, and the alerts made of it, know this run."""
        words = [part for word in self.command for part in word.split("=", 1)]
        return words[words.index("--selector") + 1] if "--selector" in words[:-1] else self.name


@dataclass(frozen=True)
class Schedule:
    """All runs.

    Attributes:
        runs: one of each kind.
        timezone: of all times of day.
        stop_within_seconds: how long one may go on after the scheduler is told to stop.
        listen: the channel by which the database may ask for a run.
    """

    runs: tuple[Run, ...]
    timezone: Any
    stop_within_seconds: int
    listen: str | None


def read(path: Path) -> Schedule:
    """The schedule of a file.

    Raises:
        Problem: it cannot be read, or says what makes no sense.
    """
    try:
        text = path.read_text()
        given = yaml.safe_load(text)
    except OSError as error:
        raise Problem(
            f"{path} cannot be read ({error.strerror}): name one by --schedule."
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Problem(f"{path} is no YAML: {' '.join(str(error).split())}") from error
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    for mistake in validator.iter_errors(given):
        place = ".".join(map(str, mistake.absolute_path))
        raise Problem(f"{path}{f', {place}' if place else ''}: {mistake.message}.")
    try:
        timezone = astimezone(given.get("timezone", "UTC"))
    except (LookupError, ValueError, OSError) as error:
        raise Problem(
            f"{path}, timezone: nobody knows '{given['timezone']}'; use a name such as UTC or"
            " Europe/Berlin."
        ) from error
    try:
        runs = tuple(_run(name, each, timezone) for name, each in given["runs"].items())
    except ValueError as error:
        raise Problem(f"{path}, {error}") from error
    return Schedule(runs, timezone, given.get("stop_within_seconds", 60), given.get("listen"))


def _run(name: str, given: dict[str, Any], timezone: Any) -> Run:
    try:
        command = tuple(shlex.split(given["command"]))
    except ValueError as error:
        raise ValueError(f"runs.{name}.command: {error}.") from error
    if command[:1] == ("dbt",):
        raise ValueError(f"runs.{name}.command: write what follows `dbt`.")
    for word in command:
        advice = PARSED_ONCE.get(word.split("=", 1)[0])
        if advice:
            raise ValueError(
                f"runs.{name}.command: {word.split('=', 1)[0]} cannot differ between runs, for the"
                f" project is parsed once for all of them: {advice}."
            )
    return Run(
        name,
        command,
        _trigger(f"runs.{name}.when", given["when"], timezone),
        given.get("retries", 0),
        given.get("retry_after_minutes", 5),
    )


def _trigger(place: str, text: str, timezone: Any) -> CronTrigger:
    fields = text.split()
    if len(fields) != 5:
        raise ValueError(
            f"{place}: '{text}' has not five fields: minute, hour, day, month, day of the week."
        )
    # Cron's 0 is Sunday, and the library's is Monday.
    if re.search(r"\d", fields[4]):
        raise ValueError(
            f"{place}: write the day of the week in '{text}' by its name, such as sun."
        )
    # Cron runs where either is met, and the library where both are.
    if "*" not in fields[2] and "*" not in fields[4]:
        raise ValueError(f"{place}: '{text}' names a day and a day of the week: name one of them.")
    try:
        trigger = CronTrigger.from_crontab(text.lower(), timezone)
    except ValueError as error:
        raise ValueError(f"{place}: '{text}' is no time: {error}.") from error
    return trigger
