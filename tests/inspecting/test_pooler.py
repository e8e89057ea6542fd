"""Behind a real PgBouncer: a pool of transactions is refused, one of sessions is not."""

from pathlib import Path

import pytest

from inspect_app import __main__ as command
from local_postgres.server import Server
from tests.app_database import AppDatabase
from tests.inspecting import shapes
from tests.poolers import needs_pooler, pooler_of


@needs_pooler
@pytest.mark.parametrize(("mode", "code"), [("transaction", 1), ("session", 0)])
def test_only_a_pool_of_transactions_is_refused(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    mode: str,
    code: int,
) -> None:
    shape = shapes.read(shapes.HERE / "shapes" / "profiles_and_generations.yaml")
    app = shapes.make(server, shape["sql"], purpose="pooled")
    with pooler_of(app, app.server.user, mode) as pooler:
        shapes.point_to(AppDatabase(pooler, app.name), monkeypatch)
        found = command.main(["--to", str(tmp_path / "app.yaml"), "--no-build", "--yes"])
    said = capsys.readouterr().err
    assert found == code
    assert ("pooler in transaction mode" in said) == bool(code)
    assert (tmp_path / "app.yaml").exists() != bool(code)
