"""Runs what is due, one at a time, and tells people what needs attention."""

import logging
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from scheduler.memory import Memory
from scheduler.outcome import CANCELLED, FAILED, SUCCEEDED, Outcome
from scheduler.process import SCHEDULER, WarmDbt
from scheduler.schedule import Run, Schedule

TELL_SECONDS = 120
RETRY = " again"

logger = logging.getLogger("scheduler")


class Runner:
    """The schedule at work.

    One worker runs everything, so that no two runs are at work at once. A run that comes due while
    it is at work or waits is not queued a second time, and of those that were missed one is caught
    up.
    """

    def __init__(self, schedule: Schedule, dbt: WarmDbt, memory: Memory, channels: Path | None):
        self.schedule, self.memory = schedule, memory
        self._dbt, self._channels = dbt, channels
        self._is_stopping = False
        self._jobs = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone=schedule.timezone,
        )

    def start(self) -> None:
        """Plan all runs; those that were missed or cut off while nobody looked are due at once."""
        now = datetime.now(self.schedule.timezone)
        for run in self.schedule.runs:
            self._jobs.add_job(
                self._run,
                run.trigger,
                args=[run, 0],
                id=run.name,
                next_run_time=self.memory.next_due(run, now),
            )
        self._jobs.start()

    def look(self) -> None:
        """See what is due by the clock, which goes on while a computer sleeps."""
        self._jobs.wakeup()

    def ask(self, name: str) -> bool:
        """Have a run come due now; whether there is one of that name."""
        job = self._jobs.get_job(name)
        if job:
            job.modify(next_run_time=datetime.now(self.schedule.timezone))
        return job is not None

    def stop(self) -> bool:
        """Begin no more, and let the run that is at work end; whether it came to its own end."""
        self._is_stopping = True
        if self._jobs.running:
            self._jobs.shutdown(wait=False)
        return self._dbt.stop(self.schedule.stop_within_seconds)

    def next_times(self) -> dict[str, datetime | None]:
        """When each run is due next; tries after a failure count."""
        times: dict[str, datetime | None] = {}
        for run in self.schedule.runs:
            jobs = [self._jobs.get_job(run.name), self._jobs.get_job(run.name + RETRY)]
            due = [job.next_run_time for job in jobs if job and job.next_run_time]
            times[run.name] = min(due, default=None)
        return times

    def _run(self, run: Run, tries: int) -> None:
        if self._is_stopping:
            return
        self._forget_retry(run)
        logger.info("%s begins: dbt %s", run.name, " ".join(run.command))
        self.memory.begin(run)
        outcome = self._dbt.run(run.command)
        self.memory.end(run, outcome)
        self._say(run, outcome)
        if outcome.status == FAILED and tries < run.retries:
            self._retry(run, tries + 1)
        if outcome.status != CANCELLED:
            self._tell()

    def _say(self, run: Run, outcome: Outcome) -> None:
        seconds = self.memory.seconds(run)
        if outcome.status == SUCCEEDED:
            logger.info("%s succeeded in %.1f s, %d nodes", run.name, seconds, outcome.nodes)
        else:
            why = ", ".join(outcome.failed) or outcome.problem or "dbt does not say why"
            logger.error("%s %s after %.1f s: %s", run.name, outcome.status, seconds, why)

    def _retry(self, run: Run, tries: int) -> None:
        at = datetime.now(self.schedule.timezone) + timedelta(minutes=run.retry_after_minutes)
        logger.info(
            "%s is tried again at %s (%d of %d)", run.name, f"{at:%H:%M}", tries, run.retries
        )
        self._jobs.add_job(
            self._run,
            "date",
            run_date=at,
            args=[run, tries],
            id=run.name + RETRY,
            replace_existing=True,
        )

    def _forget_retry(self, run: Run) -> None:
        if self._jobs.get_job(run.name + RETRY):
            self._jobs.remove_job(run.name + RETRY)

    def _tell(self) -> None:
        """Have the notifier tell its channels what they do not know."""
        if not (self._channels or os.environ.get("PAYGEN_CHANNELS")):
            return
        command: list[Any] = [sys.executable, "-m", "notify", "--runs", self.memory.path]
        if self._channels:
            command += ["--channels", self._channels]
        try:
            subprocess.run(command, cwd=SCHEDULER, timeout=TELL_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            logger.error("the notifier did not end: %s", error)
