"""The command: what it writes, what it asks, and one sentence for each bad input."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from inspect_app import __main__ as command
from inspect_app import database, dry_run, ledger, recognise, vocabularies
from local_postgres.server import Server
from tests.app_database import PROJECT, AppDatabase
from tests.inspecting import shapes

PROFILES = shapes.HERE / "shapes" / "profiles_and_generations.yaml"
ROLE = "shape_reader"
Inspect = Callable[..., tuple[int, str]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the mapping goes."""
    return tmp_path / "mapping" / "app.yaml"


@pytest.fixture
def inspect(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Inspect:
    """Run the command on a database; its exit code and what it says of a problem."""

    def run(app: AppDatabase, *arguments: str, user: str | None = None) -> tuple[int, str]:
        shapes.point_to(app, monkeypatch, user)
        code = command.main(["--to", str(file), "--no-build", *arguments])
        return code, capsys.readouterr().err.strip()

    return run


@pytest.fixture
def profiles(server: Server) -> AppDatabase:
    """The commonest shape."""
    return shapes.make(server, shapes.read(PROFILES)["sql"])


def test_the_file_is_valid_and_holds_nothing_personal(
    profiles: AppDatabase, inspect: Inspect, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inspect(profiles) == (0, "")
    text = file.read_text()
    [source] = yaml.safe_load(text)["sources"]
    assert source["overrides"] == "paygen"
    assert [table["identifier"] for table in source["tables"]] == [
        "credit_transactions",
        "generations",
        "profiles",
    ]
    for personal in ("ann@", "Ann", "Welcome", "a cat", "https://", "cs_1", "timeout"):
        assert personal not in text
    lines = [line for line in text.splitlines() if ": " in line and "columns" not in line]
    assert all("#" in line for line in lines if line.startswith("            "))
    assert list(file.parent.iterdir()) == [file]


def test_what_is_there_is_kept_unless_forced(
    profiles: AppDatabase, inspect: Inspect, file: Path
) -> None:
    file.parent.mkdir()
    file.write_text("mine")
    code, said = inspect(profiles)
    assert (code, file.read_text()) == (1, "mine")
    assert "--force" in said
    assert inspect(profiles, "--force")[0] == 0
    assert "overrides" in file.read_text()


def test_a_dry_run_writes_nothing(profiles: AppDatabase, inspect: Inspect, file: Path) -> None:
    assert inspect(profiles, "--dry-run")[0] == 0
    assert not file.exists()


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        (
            "create table posts (id int primary key, user_id int, created_at timestamptz)",
            "No table",
        ),
        ("create table generations (id int)", "No table"),
        (
            "create table credit_transactions (id int primary key, user_id int, amount int, type"
            " text, created_at timestamptz);"
            "create table credit_history (like credit_transactions);"
            "insert into credit_transactions values (1, 1, -1, 'usage', now()), (2, 1, 5, 'bonus',"
            " now()); insert into credit_history select * from credit_transactions",
            "credit_history and public.credit_transactions.*--ledger",
        ),
    ],
)
def test_tables_that_cannot_be_told_are_said(
    server: Server, inspect: Inspect, file: Path, sql: str, words: str
) -> None:
    code, said = inspect(shapes.make(server, sql))
    assert code == 1
    assert re.search(words, said)
    assert said.count("\n") == 0
    assert not file.parent.exists()


def test_the_question_of_two_ledgers_is_answered_by_an_option(
    server: Server, inspect: Inspect, file: Path
) -> None:
    sql = shapes.read(PROFILES)["sql"] + (
        "create table credit_history as select * from credit_transactions"
    )
    app = shapes.make(server, sql)
    assert inspect(app, "--ledger", "public.credit_history")[0] == 0
    assert "identifier: credit_history" in file.read_text()


def test_a_misspelt_table_is_named_with_those_like_it(
    profiles: AppDatabase, inspect: Inspect, file: Path
) -> None:
    code, said = inspect(profiles, "--ledger", "public.credit_transaction")
    assert code == 1
    assert "did you mean public.credit_transactions" in said
    assert not file.parent.exists()


@pytest.mark.parametrize(
    ("grants", "words"),
    [
        ("grant select on profiles, generations to {role}", "may not read public.credit_trans"),
        ("grant select on profiles, credit_transactions to {role}", "may not read public.gener"),
        (
            "grant select on all tables in schema public to {role};"
            "alter table generations enable row level security",
            "Row-level security hides rows of public.generations",
        ),
    ],
)
def test_a_table_that_may_not_be_read_is_named(
    profiles: AppDatabase, inspect: Inspect, file: Path, grants: str, words: str
) -> None:
    profiles.execute(f"create role {ROLE} login")
    try:
        profiles.execute(grants.format(role=ROLE))
        code, said = inspect(profiles, user=ROLE)
        assert code == 1
        assert words in said
        assert not file.parent.exists()
    finally:
        profiles.execute(f"drop owned by {ROLE}; drop role {ROLE}")


def test_a_hidden_table_of_several_is_not_left_out(
    server: Server, inspect: Inspect, file: Path
) -> None:
    """It looks empty, as does a view of it, and what has no part in generations is named away."""
    path = shapes.HERE / "shapes" / "images_and_videos_apart.yaml"
    app = shapes.make(server, shapes.read(path)["sql"])
    with shapes.connected(app) as cursor:
        cursor.execute("select relname from pg_class where relkind = 'r' and relname ~ 'video'")
        [(videos,), *_] = cursor.fetchall()
    app.execute(f"create role {ROLE} login; grant select on all tables in schema public to {ROLE}")
    try:
        app.execute(f"alter table {videos} enable row level security")
        code, said = inspect(app, user=ROLE)
        assert (code, said.count("\n")) == (1, 0)
        assert f"Row-level security hides rows of public.{videos} from this role" in said
        assert "--tasks public." in said
        assert not file.parent.exists()
        app.execute(f"create policy all_rows on {videos} for select to {ROLE} using (true)")
        assert inspect(app, user=ROLE)[0] == 0
        assert f"public.{videos}" in file.read_text()
        app.execute(
            f"drop policy all_rows on {videos}; alter table {videos} rename to hidden_rows;"
            f"create view {videos} with (security_invoker = true) as select * from hidden_rows;"
            f"grant select on {videos} to {ROLE}"
        )
        code, said = inspect(app, "--force", user=ROLE)
        assert code == 1
        assert "Row-level security hides rows of public." in said
    finally:
        app.execute(f"drop owned by {ROLE}; drop role {ROLE}")


def test_another_encoding_is_refused(server: Server, inspect: Inspect, file: Path) -> None:
    app = shapes.make(server, "select 1", purpose="latin")
    maintenance = AppDatabase(server, "postgres")
    maintenance.execute(f"drop database {app.name}")
    maintenance.execute(
        f"create database {app.name} encoding 'LATIN1' template template0 locale 'C'"
    )
    code, said = inspect(app)
    assert code == 1
    assert "LATIN1" in said
    assert "encoding 'UTF8'" in said
    assert not file.parent.exists()


def test_no_server_is_said(server: Server, inspect: Inspect, tmp_path: Path, file: Path) -> None:
    code, said = inspect(AppDatabase(Server(str(tmp_path), 5432, "postgres", 18), "app"))
    assert code == 1
    assert "does not answer" in said
    assert not file.parent.exists()


@pytest.mark.parametrize(
    ("module", "step"), [(recognise, "propose"), (ledger, "kinds_of"), (vocabularies, "lists")]
)
def test_a_lost_connection_is_said(
    profiles: AppDatabase,
    inspect: Inspect,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: ModuleType,
    step: str,
) -> None:
    """Before the first question, in the midst, and before the last."""
    propose = getattr(module, step)

    def lose(cursor: object, *rest: object) -> object:
        profiles.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'paygen inspect'"
        )
        return propose(cursor, *rest)

    monkeypatch.setattr(module, step, lose)
    code, said = inspect(profiles)
    assert code == 1
    assert "connection broke" in said
    assert not file.parent.exists()


def test_no_database_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(database.Problem, match="DATABASE_URL"):
        database.find()
    monkeypatch.setenv("DATABASE_URL", "postgresql://ann:x@db.example.org:6543/app?sslmode=require")
    database.find()
    assert database.os.environ["PGHOST"] == "db.example.org"
    assert database.os.environ["PGSSLMODE"] == "require"


def test_nothing_is_written_to_the_database(profiles: AppDatabase, inspect: Inspect) -> None:
    """The session is read-only, whatever is asked."""
    with shapes.connected(profiles) as cursor:
        cursor.execute("show transaction_read_only")
        assert cursor.fetchone() == ("on",)
        cursor.execute("show search_path")
        assert cursor.fetchone() == ("pg_catalog, pg_temp",)


def test_help_is_shown() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "inspect_app", "--help"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "--dry-run" in shown


def test_what_a_try_says_names_the_file_that_was_tried(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The models call each file as they call the usual one."""

    def fail(*_: object) -> None:
        raise database.Problem("There is no column a, which mapping/app.yml names.")

    monkeypatch.setenv("PGDATABASE", "app")
    monkeypatch.setattr(dry_run, "run", fail)
    file.parent.mkdir()
    file.write_text("version: 2")
    assert command.main(["--check", "--to", str(file)]) == 1
    said = capsys.readouterr().err
    assert f"which {file} names" in said
    assert "mapping/app.yml" not in said
