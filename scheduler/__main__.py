"""`python -m scheduler`: run dbt when it is due, from a project that is parsed once."""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from reader import state
from reader.database import Database
from reader.options import add_port, add_schema
from reader.problems import Problem
from scheduler import health, memory, schedule
from scheduler.listener import listening
from scheduler.process import SCHEDULER, WarmDbt
from scheduler.runner import Runner

PORT = 8422
LOOK_SECONDS = 15

logger = logging.getLogger("scheduler")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or ctrl-c; answer the exit code: 0, or 1 after a sentence."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(message)s", force=True
    )
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    try:
        return _serve(options)
    except (Problem, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1


def _serve(options: argparse.Namespace) -> int:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    plan = schedule.read(options.schedule or options.project_dir / "schedule.yml")
    with ExitStack() as stack:
        stack.enter_context(state.held(options.state, "--state", "scheduler", 0))
        known = memory.recall(options.state, {run.name for run in plan.runs})
        dbt = WarmDbt(options.project_dir, [run.command for run in plan.runs])
        dbt.start()
        runner = Runner(plan, dbt, known, options.channels)
        stack.callback(runner.stop)
        database = Database(options.schema, 1, "paygen health")
        port = stack.enter_context(health.serving(health.create(runner, database), options.port))
        if not (options.channels or os.environ.get("PAYGEN_CHANNELS")):
            logger.info("nobody is told of failures: set PAYGEN_CHANNELS, or name --channels")
        runner.start()
        if plan.listen:
            stack.enter_context(listening(plan.listen, runner.ask))
        logger.info("health is at http://127.0.0.1:%d/health", port)
        for name, at in runner.next_times().items():
            logger.info("%s is due at %s", name, at)
        while not stop.wait(LOOK_SECONDS):
            runner.look()
        logger.info("no more runs are begun")
        if not runner.stop():
            logger.info("the run at work was cancelled: the next one starts where it began")
    logger.info("ended")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scheduler",
        description="Run dbt when it is due, one run at a time, from a project that is parsed once"
        " and again when its files change. Builds by libpq's variables (PGHOST, PGUSER, ...) and"
        " DBT_TARGET, as `dbt build` does. On SIGTERM it lets the current run end.",
        epilog="Exit code: 0 after SIGTERM or ctrl-c, 1 if it could not start.",
    )
    parser.add_argument(
        "--schedule",
        type=Path,
        metavar="FILE",
        help="what is run and when (schedule.yml of the project)",
    )
    parser.add_argument(
        "--project-dir",
        type=Path,
        default=SCHEDULER,
        metavar="DIR",
        help="the dbt project (the one that the scheduler is part of)",
    )
    add_port(parser, PORT, "/health on 127.0.0.1")
    parser.add_argument(
        "--channels",
        type=Path,
        metavar="FILE",
        help="whom to tell: apprise's addresses, one a line (else those in $PAYGEN_CHANNELS)",
    )
    parser.add_argument(
        "--state",
        type=Path,
        default=os.environ.get("PAYGEN_RUNS") or state.default_path("runs.json"),
        metavar="FILE",
        help="the last runs (~/.local/state/paygen/runs.json, or $PAYGEN_RUNS)",
    )
    add_schema(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
