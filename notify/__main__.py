"""`python -m notify`: tell the channels what is new of the mart `alerts`."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from notify import alerts, channels, memory, news, ping, runs
from reader import state
from reader.database import Database
from reader.libpq import use_demo_by_default
from reader.options import add_schema
from reader.problems import ENDINGS, Problem, told

TOLD, NOTHING_TO_TELL, FAILED = 0, 3, 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Tell what is new; answer the exit code: 0 told, 3 nothing to tell, 1 after a sentence."""
    options = _parser().parse_args(arguments)
    try:
        if options.ping:
            ping.check(options.ping)
        use_demo_by_default()
        database = Database(options.schema, 1, "paygen notify")
        if options.dry_run:
            return _show(database, options)
        return _tell(database, options)
    except ENDINGS as error:
        return told(error, "what was not told is told next time")


def _tell(database: Database, options: argparse.Namespace) -> int:
    """Tell each channel what it does not know, then call the ping if all is well with the data."""
    everyone = channels.read(options.channels, os.environ.get("PAYGEN_CHANNELS"))
    result = NOTHING_TO_TELL
    with memory.held(options.state):
        place, found, problem = _read(database, options)
        known = memory.recall(options.state, place)
        for channel in everyone:
            fresh = news.find(found, known.of(channel.address), is_complete=not problem)
            if not fresh:
                continue
            if channel.tell(fresh):
                known.keep(channel.address, fresh.told)
                print(f"told {channel.name}: {fresh.summary}")
                result = TOLD if result != FAILED else FAILED
            else:
                print(
                    f"{channel.name} was not told ({fresh.summary}): it is tried again at the next"
                    " run.",
                    file=sys.stderr,
                )
                result = FAILED
    if problem:
        raise problem
    if options.ping and result != FAILED and is_fresh(found):
        ping.call(options.ping)
    return result


def _show(database: Database, options: argparse.Namespace) -> int:
    """Print what would be told to whom; nobody is, and nothing is written."""
    given = options.channels or os.environ.get("PAYGEN_CHANNELS")
    everyone = channels.read(options.channels, os.environ.get("PAYGEN_CHANNELS")) if given else []
    place, found, problem = _read(database, options)
    known = memory.recall(options.state, place)
    fresh = {
        each.name: news.find(found, known.of(each.address), is_complete=not problem)
        for each in everyone
    }
    fresh = fresh or {"a channel": news.find(found, {})}
    for name, each in fresh.items():
        print(f"{name} would be told: {each.summary or 'nothing'}")
        print(each.body, end="\n" if each else "")
    if problem:
        raise problem
    if options.ping:
        print(f"the ping would {'be called' if is_fresh(found) else 'not be called: stale'}")
    return TOLD if any(fresh.values()) else NOTHING_TO_TELL


def _read(
    database: Database, options: argparse.Namespace
) -> tuple[str | None, list[alerts.Alert], Problem | None]:
    """Where the marts are, what is open, and why that is not all of it.

    Raises:
        Problem: the marts cannot be read, and no run is known to have failed.
    """
    failed = runs.read(options.runs) if options.runs else []
    try:
        place, found = alerts.read(database)
    except Problem as problem:
        if not failed:
            raise
        return None, failed, problem
    return place, runs.merge(found, failed), None


def is_fresh(found: Sequence[alerts.Alert]) -> bool:
    """Whether nothing is older than it should be."""
    return not any(alert.kind == "stale" for alert in found)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m notify",
        description="Tell the channels of each alert of the mart `alerts` once when it opens, again"
        " when it gets worse, and once when it is over. Reads as a reader role, by libpq's"
        " variables (PGHOST, PGUSER, PGDATABASE, ...), else the demo's marts.",
        epilog="Exit code: 0 if a channel was told, 3 if there was nothing to tell, 1 if a channel"
        " or the ping could not be reached or the alerts could not be read.",
    )
    parser.add_argument(
        "--channels",
        type=Path,
        metavar="FILE",
        help="apprise's addresses, one a line (else those in $PAYGEN_CHANNELS, between blanks)",
    )
    parser.add_argument(
        "--ping",
        default=os.environ.get("PAYGEN_PING"),
        metavar="URL",
        help="address to call when the data are fresh and nothing went wrong (or $PAYGEN_PING)",
    )
    parser.add_argument(
        "--state",
        type=Path,
        default=os.environ.get("PAYGEN_STATE") or state.default_path("alerts.json"),
        metavar="FILE",
        help="what was told to whom (~/.local/state/paygen/alerts.json, or $PAYGEN_STATE)",
    )
    add_schema(parser)
    parser.add_argument(
        "--runs",
        type=Path,
        default=os.environ.get("PAYGEN_RUNS"),
        metavar="FILE",
        help="the scheduler's record of runs: tell of those that failed too, also while no server"
        " answers (or $PAYGEN_RUNS)",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print what would be told, and tell nobody"
    )
    return parser


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
