"""A mapping tried: the real models, in schemas of their own that are dropped at the end."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2
import yaml
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from inspect_app.database import connected
from inspect_app.problems import Problem
from inspect_app.proposal import BALANCES, LEDGER, TASKS
from local_postgres.dbt import run_dbt

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult

PROJECT = Path(__file__).resolve().parents[1]
SCHEMA = "analytics_inspect"
SCHEMAS = (SCHEMA, *(f"{SCHEMA}_{part}" for part in ("staging", "intermediate", "seeds")))
MARK = "Made by an inspection of paygen, which drops it at its end."
LINKED = ("macros", "models", "seeds", "tests", "analyses", "selectors.yml", ".dbtignore")
MODELS = "+rejected_rows +credit_balance_reconciliation +int_refunds_matched"
TOLD_OF_REJECTS = 12
Progress = Callable[[str, int, int], None]


class NotTried(Problem):
    """A mapping could not be tried, which says nothing about it."""


@dataclass(frozen=True)
class Figures:
    """What a dry run found."""

    kept: dict[str, tuple[int, int]]
    """Rows read of each of our tables, and how many of them were rejected."""
    reasons: list[tuple[str, str, int]]
    generations: int
    statuses: list[tuple[str, int]]
    credits_used: Decimal
    credits_refunded: Decimal
    charges: int
    named: int
    matched: int
    shadows: int
    refunds: int
    refunds_matched: int
    balances: int
    balances_agreeing: int


def run(mapping: Path, progress: Progress, as_of: str | None = None) -> Figures:
    """Build with a mapping, count, and drop what was built, whatever happens.

    Raises:
        Problem: the role may make no schemas, or the models cannot be built.
    """
    try:
        with _connected() as connection, _schemas(connection):
            with tempfile.TemporaryDirectory(prefix="paygen-inspect-") as folder:
                _build(_project(Path(folder), mapping), progress, as_of)
            return _figures(connection)
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        raise NotTried(
            "The connection broke meanwhile: try it again with `make inspect CHECK=1`, which drops"
            " what this try left."
        ) from error


@contextmanager
def _connected() -> Iterator[Connection]:
    with connected("paygen inspect") as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("set search_path = pg_catalog, pg_temp")
        yield connection


@contextmanager
def _schemas(connection: Connection) -> Iterator[None]:
    """The schemas of a dry run, held by a lock so that no two use them at once."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_lock(hashtext(%s))", [SCHEMA])
        if cursor.fetchone() != (True,):
            raise NotTried("Another inspection tries a mapping in this database: wait for its end.")
        _drop(connection, others_too=False)
        try:
            for schema in SCHEMAS:
                cursor.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
                cursor.execute(
                    sql.SQL("comment on schema {} is %s").format(sql.Identifier(schema)), [MARK]
                )
        except psycopg2.errors.InsufficientPrivilege as error:
            cursor.execute("select quote_ident(current_user), quote_ident(current_database())")
            user, name = cursor.fetchone() or ("", "")
            raise NotTried(
                f"Role {user} may make no schemas, in which a mapping is tried: run `grant create"
                f" on database {name} to {user}`, or try it as the tables' owner."
            ) from error
    try:
        yield
    finally:
        try:
            _drop(connection, others_too=True)
        except psycopg2.Error:
            with _connected() as again:
                _drop(again, others_too=True)


def _drop(connection: Connection, others_too: bool) -> None:
    """Drop what a dry run made; one that another program made is left, and stops the run."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select nspname, obj_description(oid, 'pg_namespace') from pg_namespace"
            " where nspname = any (%s)",
            [list(SCHEMAS)],
        )
        for schema, comment in cursor.fetchall():
            if comment != MARK and not others_too:
                raise Problem(
                    f"Schema {schema} is there, and no inspection made it: rename or drop it."
                )
            if comment == MARK:
                cursor.execute(
                    sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema))
                )


def _project(folder: Path, mapping: Path) -> Path:
    """The project with this mapping alone, and a profile that builds into the schemas."""
    project = folder / "project"
    (project / "mapping").mkdir(parents=True)
    for name in LINKED:
        if (PROJECT / name).exists():
            (project / name).symlink_to(PROJECT / name)
    shutil.copyfile(PROJECT / "dbt_project.yml", project / "dbt_project.yml")
    shutil.copyfile(mapping, project / "mapping" / "app.yml")
    profile = yaml.safe_load((PROJECT / "profiles.yml.example").read_text())
    profile["paygen"]["outputs"]["prod"]["schema"] = SCHEMA
    (project / "profiles.yml").write_text(yaml.safe_dump(profile))
    return project


def _build(project: Path, progress: Progress, as_of: str | None) -> None:
    def advance(event: Any) -> None:
        index, total = getattr(event.data, "index", 0), getattr(event.data, "total", 0)
        if total and event.info.name.startswith("Log") and event.info.name.endswith("Result"):
            progress("building", int(index), int(total))

    progress("parsing", 0, 0)
    target = project.parent / "target"
    command = [
        *("build", "--select", *MODELS.split(), "--exclude", "tag:python", "--target", "prod"),
        *("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"),
        *("--log-level-file", "none", "--no-write-json", "--no-send-anonymous-usage-stats"),
    ]
    if as_of:
        command += ["--vars", yaml.safe_dump({"as_of": as_of})]
    result = run_dbt(command, project, project, target, target / "logs", [advance])
    if not result.success:
        raise Problem(failure(result))


def failure(result: "dbtRunnerResult") -> str:
    """What a run of dbt failed of, in one line."""
    nodes = getattr(result.result, "results", None) or []
    failed = [str(node.message) for node in nodes if node.status in ("error", "fail")]
    return _sentence((failed or [str(result.exception or "dbt does not say why")])[0])


def _sentence(reason: str) -> str:
    """dbt's message without its frame."""
    lines = [line.strip() for line in reason.splitlines() if line.strip()]
    kept = [
        line
        for line in lines
        if not line.startswith(("> in macro", "> called by", "Compilation Error", "compiled code"))
    ]
    return " ".join(kept)[:1500]


def _figures(connection: Connection) -> Figures:
    with connection.cursor() as cursor:

        def rows(query: str) -> list[tuple[Any, ...]]:
            cursor.execute(query.replace("{s}", SCHEMA))
            return cursor.fetchall()

        def one(query: str) -> tuple[Any, ...]:
            return rows(query)[0]

        rejected = rows(
            "select source_table, reject_reason, count(*) from {s}.rejected_rows"
            " group by 1, 2 order by 3 desc, 1, 2"
        )
        totals = {
            LEDGER: one("select count(*) from {s}_staging.stg_app__credit_transactions")[0],
            TASKS: one("select count(*) from {s}_staging.stg_app__enhancement_tasks")[0],
            BALANCES: one("select count(*) from {s}_staging.stg_app__user_credits")[0],
        }
        kept = {
            role: (total, sum(count for table, _, count in rejected if table == role))
            for role, total in totals.items()
        }
        statuses = rows(
            "select status, count(*) from {s}.fct_generations group by 1 order by 2 desc, 1"
        )
        charges, named, matched = one(
            "select count(*), count(api_request_id), count(tasks.task_id)"
            " from {s}_intermediate.int_ledger_classified as ledger"
            " left join {s}_intermediate.int_tasks_cleaned as tasks"
            " on tasks.is_kept and tasks.task_id = ledger.api_request_id"
            " where ledger.is_kept and ledger.is_generation_charge"
        )
        [used] = one("select coalesce(sum(credits_used), 0) from {s}.fct_generations")
        [shadows] = one(
            "select count(*) from {s}_intermediate.int_bare_charges_matched where is_shadow"
        )
        refunds, refunds_matched, refunded = one(
            "select count(*), count(generation_id), coalesce(sum(credits), 0)"
            " from {s}_intermediate.int_refunds_matched"
        )
        balances, agreeing = one(
            "select count(drift), count(*) filter (where drift = 0)"
            " from {s}.credit_balance_reconciliation"
        )
    return Figures(
        kept,
        [(table, reason, count) for table, reason, count in rejected][:TOLD_OF_REJECTS],
        sum(count for _, count in statuses),
        statuses,
        used,
        refunded,
        charges,
        named,
        matched,
        shadows,
        refunds,
        refunds_matched,
        balances,
        agreeing,
    )


def check(figures: Figures) -> None:
    """Stop where charges name tasks that are hardly ever there.

    Raises:
        Problem: with the share.
    """
    tasks, rejected = figures.kept[TASKS]
    if figures.named >= 10 and tasks - rejected and figures.matched < 0.1 * figures.named:
        raise Problem(
            f"Only {figures.matched:,} of {figures.named:,} charges that name a task find it, so"
            " calls would count twice: name another column under api_request_id in the mapping,"
            " or the id that the ledger holds under id of enhancement_tasks."
        )
    if figures.charges >= 10 and tasks - rejected and not figures.named:
        raise Problem(
            f"None of {figures.charges:,} charges names a task, so calls would"
            " count twice: name the column, or write the expression, under api_request_id in the"
            " mapping, or write `meta: {missing: true}` for enhancement_tasks and count the charges"
            " alone."
        )


def lines(figures: Figures) -> list[str]:
    """The figures as sentences."""
    said = []
    for role, (total, rejected) in figures.kept.items():
        said.append(f"{role}: {total - rejected:,} rows kept, {rejected:,} rejected")
        said += [
            f"    {count:,} as {reason}"
            for table, reason, count in figures.reasons
            if table == role
        ]
    listed = ", ".join(f"{count:,} {status}" for status, count in figures.statuses)
    said.append(f"generations: {figures.generations:,}" + (f" ({listed})" if listed else ""))
    missing = figures.named - figures.matched
    share = f" ({missing / figures.named:.1%})" if figures.named else ""
    said.append(
        f"charges for generations: {figures.charges:,}; {figures.named:,} name a task,"
        f" {figures.matched:,} find it, of {missing:,}{share} the task is missing"
    )
    said.append(f"shadows, which repeat a fuller charge: {figures.shadows:,}")
    said.append(f"refunds: {figures.refunds:,}; {figures.refunds_matched:,} find their generation")
    said.append(f"credits: {figures.credits_used:f} used, {figures.credits_refunded:f} refunded")
    said.append(
        f"balances: {figures.balances_agreeing:,} of {figures.balances:,} agree with the ledger"
        if figures.balances
        else "balances: none that could be compared with a ledger"
    )
    return said


def hints(figures: Figures) -> list[str]:
    """What is worth a look."""
    said = []
    if figures.shadows:
        said.append(
            f"{figures.shadows:,} charges without a task repeat another of the same user and"
            " amount within minutes, and are not counted: set shadow_charge_window_seconds to 0 if"
            " your app writes one row for each charge."
        )
    ledger, rejected = figures.kept[LEDGER]
    if ledger - rejected and not figures.charges:
        said.append(
            "No row of the ledger is a charge for a generation, so credits used are 0: look at"
            " transaction_kinds."
        )
    if figures.credits_refunded > figures.credits_used:
        said.append(
            "More credits are refunded than used: look at the kinds of the ledger's rows, of which"
            " one may be a charge, or give what was bought."
        )
    if figures.named >= 10 and figures.matched < 0.5 * figures.named:
        said.append("Half of the charges or more name a task that is not there.")
    if figures.balances >= 10 and figures.balances_agreeing < 0.5 * figures.balances:
        said.append(
            "Most balances differ from the ledger: look at the kinds of its rows, or the app kept"
            " balances before it kept a ledger."
        )
    return said
