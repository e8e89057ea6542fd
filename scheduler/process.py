"""The warm dbt, as the scheduler holds it: started anew when the project has changed."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

from reader.problems import Problem
from scheduler.outcome import CANCEL, CANCELLED, FAILED, Outcome
from scheduler.project import fingerprint

SCHEDULER = Path(__file__).resolve().parents[1]
CANCEL_SECONDS = 20


class WarmDbt:
    """Runs dbt's commands, one at a time, by a process that has parsed the project.

    Args:
        project: folder of the dbt project.
        commands: all that will be asked for.
    """

    def __init__(self, project: Path, commands: list[tuple[str, ...]]) -> None:
        self._project, self._commands = project, commands
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None
        self._parsed: object = None
        self._stopped = threading.Event()
        self._idle = threading.Event()
        self._idle.set()

    @property
    def process_id(self) -> int | None:
        """The process's id; none while there is none."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Parse the project, if it has changed since that was done.

        Raises:
            Problem: dbt cannot, or does not understand a command.
        """
        found = fingerprint(self._project)
        if self._process and self._process.poll() is None and found == self._parsed:
            return
        self._end()
        ours, theirs = Pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "scheduler.warm", str(theirs.fileno())],
            cwd=self._project,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
            start_new_session=True,  # ctrl-c is for the scheduler alone
        )
        theirs.close()
        self._pipe = ours
        try:
            ours.send(self._commands)
            problem = ours.recv()
        except (EOFError, OSError):
            problem = "dbt's process ended while it parsed the project"
        if problem:
            self._end()
            raise Problem(problem)
        self._parsed = found

    def run(self, command: tuple[str, ...]) -> Outcome:
        """Run one command to its end; a failure is no exception."""
        if self._stopped.is_set():
            return Outcome(CANCELLED)
        self._idle.clear()
        try:
            self.start()
            if self._stopped.is_set() or not self._pipe:
                return Outcome(CANCELLED)
            self._pipe.send(command)
            outcome: Outcome = self._pipe.recv()
            return outcome
        except Problem as problem:
            return Outcome(FAILED, problem=problem.sentence)
        except (EOFError, OSError):
            self._kill()  # a run that it had begun, too: nobody would know how that ends
            status = CANCELLED if self._stopped.is_set() else FAILED
            return Outcome(status, problem="dbt's process ended")
        finally:
            self._idle.set()

    def stop(self, within_seconds: float) -> bool:
        """Let a run go on for so long, then have dbt cancel it; whether it came to its own end."""
        self._stopped.set()
        ended = self._idle.wait(within_seconds)
        if not ended:
            if self._pipe:
                with suppress(OSError):
                    self._pipe.send(CANCEL)
            if not self._idle.wait(CANCEL_SECONDS):
                self._kill()
                self._idle.wait()
        self._end()
        return ended

    def _end(self) -> None:
        """End a process that is idle."""
        if self._pipe:
            self._pipe.close()
        if self._process:
            try:
                self._process.wait(CANCEL_SECONDS)
            except subprocess.TimeoutExpired:
                self._kill()
        self._process = self._pipe = self._parsed = None

    def _kill(self) -> None:
        """End the process and its children at once; the server then ends what they had begun."""
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def _environment() -> dict[str, str]:
    """The scheduler's own. Left out are a terminal's colours, and dbt's file of every statement.

    That file takes a tenth of a run; whoever wants it sets DBT_LOG_LEVEL_FILE.
    """
    defaults = {"DBT_LOG_LEVEL_FILE": "info"}
    if not sys.stdout.isatty():
        defaults["DBT_USE_COLORS"] = "false"
    paths = [str(SCHEDULER), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**defaults, **os.environ, "PYTHONPATH": os.pathsep.join(paths)}
