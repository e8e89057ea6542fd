"""A process that has dbt and the parsed project in memory, and forks a child for each run.

The child starts where dbt's own start ends, and takes with it all that a run leaves in memory. This
process has one thread and no connection to a server when it forks. It answers over a pipe, and ends
when the pipe does; which signals a run gets is decided at the other end.
"""

import gc
import os
import signal
import sys
import threading
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any

from scheduler.outcome import CANCEL, CANCELLED, FAILED, SUCCEEDED, Outcome

# Whose macros a run calls; those of other databases stay as text.
PACKAGES_OF_OTHERS = ("dbt_duckdb",)


def main() -> int:
    """Parse, say how that went, and run what is asked for until the pipe ends.

    The first thing that comes is all commands that will be asked for.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pipe = Connection(int(sys.argv[1]))
    os.set_inheritable(pipe.fileno(), False)
    problem = next(filter(None, map(_command_problem, pipe.recv())), "")
    manifest = None
    if not problem:
        problem, manifest = _parse()
    pipe.send(problem)
    if problem:
        return 1
    while True:
        try:
            command = pipe.recv()
        except EOFError:
            return 0
        if command != CANCEL:  # one that came too late
            try:
                pipe.send(_run(command, manifest, pipe))
            except BrokenPipeError:
                return 0


def _command_problem(command: tuple[str, ...]) -> str:
    """What dbt does not understand of a command; nothing if it does."""
    import click
    from dbt.cli.main import cli

    group: click.Command = cli
    name = "dbt"
    words = list(command)
    try:
        while isinstance(group, click.Group):
            name = words.pop(0) if words else ""
            found = group.commands.get(name)
            if found is None:
                return f"dbt has no command '{' '.join(command)}'"
            group = found
        group.make_context(name, words)
    except click.UsageError as error:
        return f"dbt {' '.join(command)}: {error.format_message().rstrip('.')}"
    return ""


def _parse() -> tuple[str, Any]:
    """A sentence if the project cannot be parsed, and what was parsed."""
    from dbt.cli.main import dbtRunner

    result = dbtRunner().invoke(
        ["parse", "--quiet", "--no-write-json", "--no-send-anonymous-usage-stats"]
    )
    if not result.success:
        return str(result.exception or "dbt parse failed"), None
    _warm_up(result.result)
    if threading.active_count() > 1:
        names = ", ".join(thread.name for thread in threading.enumerate())
        return f"dbt left threads behind, which no fork may have: {names}", None
    return "", result.result


def _warm_up(manifest: Any) -> None:
    """Load what each run would load, then keep the collector of garbage from touching it.

    What it touches is copied into each child.
    """
    import dbt.task.build  # noqa: F401
    from dbt_common.clients.jinja import template_cache

    for macro in manifest.macros.values():
        if macro.package_name not in PACKAGES_OF_OTHERS:
            template_cache.get_node_template(macro)
    gc.collect()
    gc.freeze()


def _run(command: tuple[str, ...], manifest: Any, pipe: Connection) -> Outcome:
    """Run one command in a child, and cancel it when that is asked or the other end is gone."""
    context = get_context("fork")
    answers, answer = context.Pipe(duplex=False)
    child = context.Process(target=_invoke, args=(command, manifest, answer))
    child.start()
    answer.close()
    told = False
    outcome = None
    while True:
        ready = wait([child.sentinel, answers, *([] if told else [pipe])])
        if answers in ready and outcome is None:
            try:
                outcome = answers.recv()
            except EOFError:
                break
        if pipe in ready:
            told = _is_over(pipe)
            os.kill(child.pid or 0, signal.SIGINT)
        if outcome is not None or child.sentinel in ready:
            break
    child.join()
    if outcome is None:
        status = CANCELLED if told else FAILED
        code = child.exitcode or 0
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        outcome = Outcome(status, problem=f"dbt's process ended with {how}")
    return outcome


def _is_over(pipe: Connection) -> bool:
    with suppress(EOFError):
        pipe.recv()
    return True


def _invoke(command: tuple[str, ...], manifest: Any, answer: Connection) -> None:
    """In the child: run dbt, and answer how it ended."""
    from dbt.cli.main import dbtRunner

    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        result = dbtRunner(manifest=manifest).invoke(list(command))
        answer.send(_outcome(result))
    except KeyboardInterrupt:
        answer.send(Outcome(CANCELLED))
    sys.stdout.flush()


def _outcome(result: Any) -> Outcome:
    nodes = getattr(result.result, "results", None) or []
    failed = [each for each in nodes if str(each.status) in ("error", "fail", "runtime error")]
    names = tuple(sorted(getattr(each.node, "name", "") for each in failed))
    if isinstance(result.exception, KeyboardInterrupt):
        return Outcome(CANCELLED, len(nodes), names)
    status = SUCCEEDED if result.success else FAILED
    return Outcome(status, len(nodes), names, str(result.exception or ""))


if __name__ == "__main__":
    sys.exit(main())
