"""Mappings as they are proposed, tried: the real models give the figures worked out by hand."""

from dataclasses import asdict, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from inspect_app import dry_run, mapping_file
from inspect_app.problems import Problem
from inspect_app.proposal import BALANCES, LEDGER, TASKS
from local_postgres.server import Server
from tests.app_database import AppDatabase
from tests.inspecting import shapes

# The most is asked of these: holds, releases, expiry, voided rows, no signs; two tables of tasks,
# which no charge names.
IN_THE_GATE = {"reserve_and_capture", "images_and_videos_apart"}
WITH_FIGURES = [path for path in shapes.EVERY if "figures" in shapes.read(path)]


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    """Where a mapping is written."""
    return tmp_path / "app.yaml"


def tried(app: AppDatabase, mapping: Path, monkeypatch: pytest.MonkeyPatch) -> dry_run.Figures:
    """The figures of the mapping that is proposed of a database."""
    shapes.point_to(app, monkeypatch)
    mapping_file.write(mapping, mapping_file.text(shapes.proposal_of(app)))
    return dry_run.run(mapping, lambda *_: None)


def schemas(app: AppDatabase) -> list[dict[str, Any]]:
    """What a dry run left."""
    return app.query("select nspname from pg_namespace where nspname like 'analytics%'")


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(
            path, id=path.stem, marks=[] if path.stem in IN_THE_GATE else [pytest.mark.long]
        )
        for path in WITH_FIGURES
    ],
)
def test_figures_are_exact(
    server: Server, path: Path, mapping: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = shapes.read(path)
    app = shapes.make(server, shape["sql"])
    found = asdict(tried(app, mapping, monkeypatch))
    found["statuses"] = dict(found["statuses"])
    found["rejected"] = sum(rejected for _, rejected in found["kept"].values())
    expected = shape["figures"]
    for name in ("credits_used", "credits_refunded"):
        expected[name] = Decimal(str(expected[name]))
    assert {name: found[name] for name in expected} == expected
    assert schemas(app) == []


@pytest.mark.long
def test_a_join_that_hardly_ever_matches_is_an_error(
    server: Server, mapping: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a mapping that names a wrong column, and the schemas are gone all the same."""
    shape = shapes.read(shapes.HERE / "shapes" / "profiles_and_generations.yaml")
    app = shapes.make(server, shape["sql"])
    app.execute(
        "insert into generations (id, user_id, prompt, type, model, status, created_at)"
        " select gen_random_uuid(), (select id from profiles limit 1), 'p', 'image', 'm',"
        " 'succeeded', '2024-05-04' from generate_series(1, 30);"
        "insert into credit_transactions (id, user_id, amount, type, stripe_session_id, created_at)"
        " select gen_random_uuid(), user_id, -1, 'usage', gen_random_uuid()::text, created_at"
        " from generations where model = 'm'"
    )
    shapes.point_to(app, monkeypatch)
    text = mapping_file.text(shapes.proposal_of(app))
    mapping.write_text(
        text.replace("api_request_id: generation_id", "api_request_id: stripe_session_id")
    )
    with pytest.raises(Problem, match="request id"):
        dry_run.run(mapping, lambda *_: None)
    assert schemas(app) == []


@pytest.mark.parametrize(
    ("setup", "sentence"),
    [
        ("create schema analytics_inspect", "Schema analytics_inspect is there"),
        ("create role shape_reader login; grant pg_read_all_data to shape_reader", "grant create"),
    ],
)
def test_what_cannot_be_tried_is_said(
    server: Server, mapping: Path, monkeypatch: pytest.MonkeyPatch, setup: str, sentence: str
) -> None:
    app = shapes.make(server, "create table t (id int)")
    try:
        app.execute(setup)
        reader = "shape_reader" if "role" in setup else None
        shapes.point_to(app, monkeypatch, reader)
        with pytest.raises(Problem, match=sentence):
            dry_run.run(mapping, lambda *_: None)
    finally:
        app.execute("drop role if exists shape_reader")


def test_what_a_killed_run_left_is_dropped(
    server: Server, mapping: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = shapes.make(
        server,
        "create schema analytics_inspect;"
        f"comment on schema analytics_inspect is '{dry_run.MARK}';"
        "create table analytics_inspect.old (id int)",
    )
    shapes.point_to(app, monkeypatch)
    monkeypatch.setattr(dry_run, "_project", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        dry_run.run(mapping, lambda *_: None)
    assert schemas(app) == []


def test_a_connection_lost_meanwhile_is_said(
    server: Server, mapping: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = shapes.make(server, "create table t (id int)")
    shapes.point_to(app, monkeypatch)

    def lose(*_: object) -> None:
        app.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'paygen inspect'"
        )

    monkeypatch.setattr(dry_run, "_project", lambda *_: mapping)
    monkeypatch.setattr(dry_run, "_build", lose)
    with pytest.raises(Problem, match="connection broke meanwhile"):
        dry_run.run(mapping, lambda *_: None)
    assert schemas(app) == []


def test_what_is_worth_a_look_is_said() -> None:
    """Nothing of an app without a ledger; of one that charges for nothing, or gives back more."""
    zero = Decimal(0)
    kept = {TASKS: (12, 0), LEDGER: (0, 0), BALANCES: (0, 0)}
    figures = dry_run.Figures(kept, [], 12, [], zero, zero, 0, 0, 0, 0, 0, 0, 0, 0)
    assert dry_run.hints(figures) == []
    assert "balances: none that could be compared with a ledger" in dry_run.lines(figures)
    figures = replace(figures, kept=kept | {LEDGER: (12, 0)})
    [said] = dry_run.hints(figures)
    assert "credits used are 0" in said
    figures = replace(figures, charges=2, credits_used=Decimal(4), credits_refunded=Decimal(9))
    [said] = dry_run.hints(figures)
    assert "More credits are refunded than used" in said


def test_charges_that_name_no_task_are_an_error() -> None:
    """Beside tasks, each would be a generation of its own."""
    kept = {TASKS: (12, 0), LEDGER: (12, 0), BALANCES: (0, 0)}
    zero = Decimal(0)
    figures = dry_run.Figures(kept, [], 24, [], zero, zero, 12, 0, 0, 0, 0, 0, 0, 0)
    with pytest.raises(Problem, match=r"None of 12 charges names a task, .* count twice"):
        dry_run.check(figures)
    dry_run.check(replace(figures, named=12, matched=12))
    dry_run.check(replace(figures, kept=kept | {TASKS: (0, 0)}))
