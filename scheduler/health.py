"""How the runs and the data are, as JSON on this machine."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg2
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from reader.database import Database
from reader.problems import Problem
from scheduler.runner import Runner

LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]
# What is stale is the alerts' to say, whose thresholds are variables of the project.
AGE = """
select
    overview.as_of,
    extract(epoch from clock_timestamp() - overview.as_of)::float8 as age_seconds,
    coalesce(
        (
            select json_agg(alerts.message order by alerts.subject)
            from {schema}.alerts
            where alerts.kind = 'stale' and alerts.subject <> 'app'
        ),
        '[]'
    ) as stale
from {schema}.dashboard_overview as overview
"""


def state(runner: Runner, database: Database) -> dict[str, Any]:
    """Last and next runs, the age of the data, and what is wrong: nothing where all is well."""
    wrong: list[str] = []
    data = None
    try:
        with database.snapshot() as snapshot:
            (row,) = snapshot.rows(AGE, ("dashboard_overview", "alerts"), {})
        data = {"as_of": _written(row["as_of"]), "age_seconds": round(row["age_seconds"], 1)}
        wrong += row["stale"]
    except Problem as problem:
        wrong.append(problem.sentence)
    except (psycopg2.Error, ValueError):
        wrong.append("The marts cannot be read: build them with `dbt build`.")
    finally:
        database.close()
    runs = runner.memory.copy()
    next_times = runner.next_times()
    wrong += [
        f"The run '{name}' failed {run['failures']} time(s) in a row."
        for name, run in runs.items()
        if run["failures"]
    ]
    return {
        "status": "failing" if wrong else "ok",
        "problems": wrong,
        "data": data,
        "runs": {
            run.name: {"last": runs.get(run.name), "next_at": _written(next_times[run.name])}
            for run in runner.schedule.runs
        },
    }


def create(runner: Runner, database: Database) -> Starlette:
    """The application: `/health` answers 200 where all is well, else 503."""

    def health(_: Request) -> JSONResponse:
        answer = state(runner, database)
        return JSONResponse(answer, 200 if answer["status"] == "ok" else 503)

    return Starlette(
        routes=[Route("/health", health)],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK, www_redirect=False)],
    )


@contextmanager
def serving(application: Starlette, port: int) -> Iterator[int]:
    """Answer on this machine's port until the block ends; 0 is any that is free.

    Raises:
        Problem: the port cannot be used.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise Problem(
            f"127.0.0.1:{port} cannot be used ({error.strerror}): choose another with --port."
        ) from error
    server = uvicorn.Server(
        uvicorn.Config(
            application,
            access_log=False,
            log_level="warning",
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=3,
        )
    )
    thread = threading.Thread(target=_serve(server, listener), name="health", daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def _serve(server: uvicorn.Server, listener: socket.socket) -> Callable[[], None]:
    return lambda: server.run(sockets=[listener])


def _written(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
