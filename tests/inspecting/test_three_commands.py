"""From a clone to a first panel over another app's database, as the documents have it."""

import re
import tempfile
from pathlib import Path

import pytest

from local_postgres.server import Server
from tests.app_database import PROJECT
from tests.inspecting import shapes
from tests.setup.conftest import clone_to
from tests.setup.test_your_own_database import run


@pytest.mark.long
def test_the_commands_of_the_documents(server: Server) -> None:
    """Three commands and no question, for there is no terminal to ask at."""
    shape = shapes.read(shapes.HERE / "shapes" / "profiles_and_generations.yaml")
    app = shapes.make(server, shape["sql"], purpose="three")
    url = f"postgresql:///{app.name}?host={server.host}&port={server.port}&user={server.user}"
    with tempfile.TemporaryDirectory(prefix="paygen-three-") as folder:
        clone = clone_to(Path(folder) / "paygen")
        said = run(clone, "make inspect", DATABASE_URL=url)
        assert "balances: 2 of 2 agree with the ledger" in said
        shown = run(clone, "make panel", DATABASE_URL=url)
        assert "2 users with credits" in shown
        assert "flux-schnell" in shown
        again = run(clone, "make panel", DATABASE_URL=url)
        assert "dbt build" not in again
        assert "2 users with credits" in again
        mapping = clone / "mapping" / "app.yml"
        mapping.write_text(re.sub("provider: model .*", "provider: null", mapping.read_text()))
        shown = run(clone, "make panel BUILD=1", DATABASE_URL=url)
        assert "dbt build, all of history" in shown
        providers = shown.partition("Providers")[2].partition("Last months")[0]
        assert re.search(r"flux-schnell +0 ", providers)
        assert "agree" in run(clone, "make inspect CHECK=1", DATABASE_URL=url)
        assert "is written" in run(clone, "make inspect FORCE=1", DATABASE_URL=url)
        assert "--ledger" in run(clone, ".tools/bin/uv run --frozen python -m inspect_app --help")
    left = app.query("select nspname from pg_namespace where nspname like 'analytics_inspect%'")
    assert left == []
    (drop,) = re.findall("`(drop schema .*?)`", (PROJECT / "README.md").read_text())
    app.execute(drop)
    assert app.query("select nspname from pg_namespace where nspname like 'analytics%'") == []
