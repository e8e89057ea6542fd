"""The works that are compared, each a command on the demo's database."""

import json
import shutil
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bench.measure import Measurement, measure
from demo.generator import History, generate
from local_postgres.databases import BUILD_ROLE, NAME, PROJECT, connect, environment, new_database
from local_postgres.server import Server, binaries

SQL = Path(__file__).with_name("sql")
QUICK_ROUNDS = 3  # of what takes seconds
NIGHTS = 2
QUERY_ROUNDS = 9  # of what takes milliseconds
FIRST_RUN = "first scheduled run after a rebuild"
GENERATIONS_PER_MONTH = 1_000_000 // 12
# Facts must agree on these between the marts and the script, or the two do not do the same work.
COMPARED = (
    "generation_id, user_id, provider, enhancement_type, status, created_at, ended_at, "
    "credits_used, credits_refunded, vendor_cost_usd, recorded_cost_usd, list_cost_usd, "
    "is_refunded, record_source"
)


@dataclass(frozen=True)
class Result:
    """One measured round. `subject` is the project or a rival, `scale` generations of history."""

    scale: int
    indexes: bool
    work: str
    subject: str
    round: int
    cost: Measurement


class Workload:
    """An app's database of one size, and what can be measured on it.

    Args:
        server: the running server.
        folder: where dbt writes, and the empty project stands.
        scale: generations of history.
        changes: rows that are new or changed in each scheduled run.
        rounds: how often work that takes minutes at 10 M generations is measured.
        readers: roles that each run lets read the marts.
    """

    def __init__(
        self,
        server: Server,
        folder: Path,
        scale: int,
        changes: int,
        rounds: int,
        readers: Sequence[str] = (),
    ) -> None:
        self.server, self.folder, self.scale = server, folder, scale
        self.changes, self.rounds, self.readers = changes, rounds, readers
        self.end = datetime.fromisoformat("2026-10-28T12:00:00+00:00")
        self.indexes = False
        shutil.copytree(PROJECT / "bench" / "empty_project", folder / "empty", dirs_exist_ok=True)
        for project in (folder, folder / "empty"):
            shutil.copyfile(PROJECT / "profiles.yml.example", project / "profiles.yml")

    def generate(self) -> None:
        """Make the app's tables: the same traffic a month whatever the scale."""
        months = max(round(self.scale / GENERATIONS_PER_MONTH), 1)
        with new_database(self.server) as connection:
            generate(connection, History(self.end, self.scale, months))
        self._execute(f"alter database {NAME} set work_mem = '64MB'", "analyze")
        self.indexes = False
        for command in (["seed"], ["run", "--exclude", "tag:python"]):
            self._measure("seeds and first run", "paygen", 1, self.dbt(self.end, *command))

    def generations(self) -> int:
        """Generations that the marts have.

        Raises:
            RuntimeError: there are no marts.
        """
        with connect(self.server, NAME) as connection, connection.cursor() as cursor:
            cursor.execute("select to_regclass('analytics.monthly_usage') is null")
            if cursor.fetchone()[0]:
                raise RuntimeError(
                    f"{self.folder} has no marts yet: wait until it is made, or remove it"
                )
            cursor.execute(
                "select coalesce(sum(generations), 0)::bigint from analytics.monthly_usage"
            )
            return int(cursor.fetchone()[0])

    def add_indexes(self) -> None:
        """Create the indexes that `advise_indexes` prints."""
        self._execute(*_statements("source_indexes"))
        self._execute("analyze")
        self.indexes = True

    def run(self) -> Iterator[Result]:
        """Measure everything, each work and its rival in turn."""
        moments = self.moments(2 * QUICK_ROUNDS + 4)
        yield from self.rebuild(1, moments[0])
        yield from self.scheduled_runs(moments[1 : QUICK_ROUNDS + 2])
        self.add_indexes()
        moments = moments[QUICK_ROUNDS + 2 :]
        for number in range(1, self.rounds + 1):
            yield from self.rebuild(number, moments[0])
            script = self._psql_command("by_hand", moments[0])
            yield self._measure("full rebuild", "script", number, script)
        self._check_script()
        self._psql("materialized_views", moments[0])
        yield from self.scheduled_runs(moments[1:])
        yield from self._idle_runs(moments[-1])
        yield from self._nightly_runs(moments[-1])
        yield from self._refreshes(moments[-1])
        yield from self._dashboard(moments[-1])

    def scheduled_only(self) -> Iterator[Result]:
        """Measure scheduled runs with indexes, after one full rebuild."""
        self.add_indexes()
        moments = self.moments(QUICK_ROUNDS + 2)
        yield from self.rebuild(1, moments[0])
        yield from self.scheduled_runs(moments[1:])

    def scheduled_commands(self, count: int) -> Iterator[list[str]]:
        """The commands of successive scheduled runs; each one's changes are made when it is asked.

        The first of them settles a database that was built as of another moment.
        """
        for moment in self.moments(count):
            self._change_statuses(moment)
            yield self._scheduled(moment)

    def python_models_command(self) -> list[str]:
        """The command that builds what `generate` leaves out: Python models and their own needs."""
        return self.dbt(self.end, "run", "--select", "tag:python")

    def rebuild(self, number: int, as_of: datetime) -> Iterator[Result]:
        """Measure a full rebuild."""
        command = self.dbt(as_of, "run", "--selector", "frequent", "--full-refresh")
        yield self._measure("full rebuild", "paygen", number, command)

    def scheduled_runs(self, moments: list[datetime]) -> Iterator[Result]:
        """Measure a scheduled run at each moment, after new and changed rows."""
        # The first run finds in the server's memory what a rebuild and rivals left there: it is
        # shown apart from the runs that follow one another, as a scheduler's do.
        for number, moment in enumerate(moments):
            self._change_statuses(moment)
            work = "scheduled run" if number else FIRST_RUN
            yield self._measure(work, "paygen", max(number, 1), self._scheduled(moment))

    def _refreshes(self, as_of: datetime) -> Iterator[Result]:
        refresh = "refresh materialized view concurrently matviews."
        views = [f"--command={refresh}{view}" for view in ("generations", "monthly")]
        for number in range(1, self.rounds + 1):
            self._change_statuses(as_of)
            yield self._measure("scheduled run", "matviews", number, [*self._client(), *views])

    def _idle_runs(self, as_of: datetime) -> Iterator[Result]:
        # After a run that saw days of changes the window begins later, which is one run's work.
        self._measure("settling", "paygen", 1, self._scheduled(as_of))
        for number in range(1, QUICK_ROUNDS + 1):
            yield self._measure("nothing new", "paygen", number, self._scheduled(as_of))
            empty = self.dbt(as_of, "build", project="empty")
            yield self._measure("nothing new", "empty project", number, empty)

    def _nightly_runs(self, as_of: datetime) -> Iterator[Result]:
        # With and without something to repair: an account of some 50 rows that went, long ago.
        nightly = self.dbt(as_of, "build", "--selector", "daily")
        self._measure("settling", "paygen", 1, nightly)
        for number in range(1, NIGHTS + 1):
            yield self._measure("nightly run", "nothing to repair", number, nightly)
            self._delete_old_account()
            yield self._measure("nightly run", "an account gone", number, nightly)

    def _delete_old_account(self) -> None:
        with connect(self.server, NAME) as connection, connection.cursor() as cursor:
            cursor.execute(
                """select user_id from (
                       select user_id, created_at from enhancement_tasks
                       union all
                       select user_id, created_at from credit_transactions
                   ) as app_rows
                   where user_id is not null
                   group by 1 having count(*) between 40 and 60
                   order by max(created_at), user_id limit 1"""
            )
            (user_id,) = cursor.fetchone()
        self._execute(
            *(
                f"delete from {table} where user_id = '{user_id}'"
                for table in ("enhancement_tasks", "credit_transactions", "user_credits")
            )
        )

    def _dashboard(self, as_of: datetime) -> Iterator[Result]:
        for subject, file in (("paygen", "dashboard_marts"), ("raw tables", "dashboard_raw")):
            for name, statement in _named_statements(file):
                text = statement.replace("{as_of}", as_of.isoformat())
                rounds = QUERY_ROUNDS if subject == "paygen" else self.rounds
                for number in range(1, rounds + 1):
                    seconds = self._statement_seconds(text)
                    cost = Measurement(seconds, seconds, 0, 0, 0, 0)
                    yield Result(self.scale, self.indexes, f"query: {name}", subject, number, cost)

    def moments(self, count: int) -> list[datetime]:
        """Moments between which half of the changes of a scheduled run are new rows."""
        # Half of the changes are new generations: those that become visible from one to the next.
        new = self.changes // 2
        with connect(self.server, NAME) as connection, connection.cursor() as cursor:
            cursor.execute(
                "select created_at from (select created_at, row_number() over"
                " (order by created_at desc) as n from enhancement_tasks) as t where n = any(%s)"
                " order by 1",
                ([1 + new * step for step in range(count)],),
            )
            return [created_at + timedelta(microseconds=1) for (created_at,) in cursor.fetchall()]

    def _change_statuses(self, as_of: datetime) -> None:
        # The other half are changed: ended otherwise than was known, among the newest.
        self._execute(
            f"""
            update enhancement_tasks
            set status = case status when 'completed' then 'failed' else 'completed' end
            where id in (
                select id from enhancement_tasks
                where created_at between '{as_of.isoformat()}'::timestamptz - interval '2' day
                and '{as_of.isoformat()}' and status in ('completed', 'failed')
                order by md5(id::text || '{as_of.isoformat()}') limit {self.changes // 2}
            )
            """
        )

    def _check_script(self) -> None:
        with connect(self.server, NAME) as connection, connection.cursor() as cursor:
            for one, other in (("analytics", "by_hand"), ("by_hand", "analytics")):
                cursor.execute(
                    f"select count(*) from (select {COMPARED} from {one}.fct_generations except "
                    f"select {COMPARED} from {other}.fct_generations) as different"
                )
                (different,) = cursor.fetchone()
                if different:
                    raise RuntimeError(
                        f"{different} facts of {one} are not in {other}: the script and the models "
                        "do not do the same work, so their times cannot be compared"
                    )

    def _measure(self, work: str, subject: str, number: int, command: list[str]) -> Result:
        cost = measure(self.server, command, environment(self.server))
        return Result(self.scale, self.indexes, work, subject, number, cost)

    def _scheduled(self, as_of: datetime) -> list[str]:
        return self.dbt(as_of, "build", "--selector", "frequent")

    def dbt(self, as_of: datetime, *arguments: str, project: str = "") -> list[str]:
        """A dbt command as of a moment."""
        variables: dict[str, object] = {"as_of": as_of.isoformat()}
        if self.readers:
            variables["reader_roles"] = list(self.readers)
        return [
            str(PROJECT / ".venv" / "bin" / "dbt"),
            *("--no-send-anonymous-usage-stats", "--no-write-json", "--quiet", *arguments),
            *("--project-dir", str(self.folder / project if project else PROJECT)),
            *("--profiles-dir", str(self.folder)),
            *("--target-path", str(self.folder / project / "target")),
            *("--log-path", str(self.folder / project / "logs")),
            *("--vars", json.dumps(variables)),
        ]

    def _client(self) -> list[str]:
        psql = str(binaries(self.server.version) / "psql")
        return [psql, "-XqAt", "-U", self.server.user, "-v", "ON_ERROR_STOP=1"]

    def _psql_command(self, file: str, as_of: datetime) -> list[str]:
        return [*self._client(), "-v", f"as_of={as_of.isoformat()}", "-f", str(SQL / f"{file}.sql")]

    def _psql(self, file: str, as_of: datetime) -> None:
        measure(self.server, self._psql_command(file, as_of), environment(self.server))

    def _execute(self, *statements: str) -> None:
        with connect(self.server, NAME) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def _statement_seconds(self, statement: str) -> float:
        with connect(self.server, NAME, BUILD_ROLE) as connection, connection.cursor() as cursor:
            cursor.execute("select 1")
            started = time.perf_counter()
            cursor.execute(statement)
            cursor.fetchall()
            return time.perf_counter() - started


def medians(results: list[Result]) -> dict[tuple[int, bool, str, str], Measurement]:
    """The median of each figure over the rounds, by scale, indexes, work and subject."""
    rounds: dict[tuple[int, bool, str, str], list[Measurement]] = {}
    for result in results:
        key = (result.scale, result.indexes, result.work, result.subject)
        rounds.setdefault(key, []).append(result.cost)
    return {
        key: Measurement(
            *(
                statistics.median(getattr(cost, name) for cost in costs)
                for name in Measurement.__dataclass_fields__
            )
        )
        for key, costs in rounds.items()
    }


def _statements(file: str) -> list[str]:
    return [part for part in (SQL / f"{file}.sql").read_text().split(";") if part.strip()]


def _named_statements(file: str) -> Iterator[tuple[str, str]]:
    for part in (SQL / f"{file}.sql").read_text().split("-- name: ")[1:]:
        name, statement = part.split("\n", 1)
        yield name.strip(), statement
