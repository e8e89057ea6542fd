"""Registration: what a project without Python models pays, and what happens without the plugin."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from dbt.adapters.base import BaseAdapter
from dbt.adapters.factory import FACTORY, AdapterContainer
from dbt.adapters.postgres.impl import PostgresAdapter
from dbt.plugins.manager import PluginManager
from dbt_pg_python_models.plugin import ENVIRONMENT_FLAG
from dbt_project import DbtProject
from test_wheel import blocks


def test_registration_is_light() -> None:
    """dbt imports the package at each start: pandas and pyarrow must wait."""
    code = (
        "import dbt.cli.main, sys; import dbt_pg_python_models;"
        "print(sorted({'pandas', 'pyarrow', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_garbage_is_sought_less_often_and_frozen_once() -> None:
    """A process that runs dbt again and again does not keep the garbage of each run."""
    program = (
        "import gc; from dbt_pg_python_models.plugin import seek_garbage_less_often as seek; "
        "before = gc.get_threshold(); seek(); frozen = gc.get_freeze_count(); "
        "more = [[] for _ in range(10_000)]; seek(); "
        "print(frozen > 0, gc.get_freeze_count() <= frozen, gc.get_threshold() > before)"
    )
    output = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert output.split() == ["True"] * 3


def rendered(folder: Path, first: str = "") -> str:
    """What a new dbt renders, which keeps its templates in a folder and does something first."""
    program = f"""
import jinja2
from dbt_pg_python_models.plugin import keep_compiled_templates
{first}
from dbt_common.clients.jinja import get_template
keep_compiled_templates()
for native in (False, True):
    print(repr(get_template("{{{{ 2 | as_native }}}}", {{}}, native=native).render({{}})), end=" ")
"""
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TMPDIR": str(folder)},
    ).stdout.strip()


def test_templates_are_compiled_once(tmp_path: Path) -> None:
    """The next dbt takes them from where this one left them, each kind for itself."""
    assert rendered(tmp_path) == "'2' 2"
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2
    assert rendered(tmp_path, "jinja2.Environment.compile = None") == "'2' 2"


def test_a_damaged_template_is_compiled_anew(tmp_path: Path) -> None:
    """A power loss may leave half a file."""
    rendered(tmp_path)
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    for path in kept:
        path.write_bytes(path.read_bytes()[:40])
    assert rendered(tmp_path) == "'2' 2"
    assert all(path.stat().st_size > 40 for path in kept)


def test_templates_are_compiled_where_none_can_be_kept(tmp_path: Path) -> None:
    """Neither a folder that is not this user's alone nor a full disk stops dbt."""
    (tmp_path / f"_jinja2-cache-{os.getuid()}").write_text("not a folder")
    assert rendered(tmp_path) == "'2' 2"
    full_disk = (
        "def dump(*_): raise OSError(28, 'No space left')\n"
        "jinja2.FileSystemBytecodeCache.dump_bytecode = dump"
    )
    (other := tmp_path / "other").mkdir()
    assert rendered(other, full_disk) == "'2' 2"


@contextmanager
def plugin_not_installed() -> Iterator[None]:
    """An environment without the package."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dbt.plugins.manager._MODULES_CACHE", None)
        patch.setattr(PluginManager, "get_prefixed_modules", classmethod(lambda _: {}))
        patch.delenv(ENVIRONMENT_FLAG, raising=False)
        names = partial(AdapterContainer.get_adapter_package_names, FACTORY)
        patch.setattr(FACTORY, "get_adapter_package_names", names)
        for name in (
            "python_submission_helpers",
            "default_python_submission_method",
            "generate_python_submission_response",
        ):
            patch.setattr(PostgresAdapter, name, getattr(BaseAdapter, name))
        yield


def test_without_the_plugin_the_rest_builds(dbt_project: DbtProject) -> None:
    """Python models are disabled and the run says so; installed again, they build."""
    dbt_project.write("models/plain.sql", "select 1 as id")
    dbt_project.model(
        "numbers",
        "def model(dbt, session):\n    return dbt.ref('plain')\n",
        config={"enabled": "{{ env_var('" + ENVIRONMENT_FLAG + "', 'False') | as_bool }}"},
    )
    (notice,) = blocks("Install", "jinja")
    dbt_project.write("macros/python_models_notice.sql", notice)
    with (dbt_project.folder / "dbt_project.yml").open("a") as file:
        file.write("on-run-start: ['{{ python_models_notice() }}']\n")
    log = dbt_project.folder / "logs" / "dbt.log"
    with plugin_not_installed():
        dbt_project.run()
    assert dbt_project.tables() == {"plain"}
    assert "Python models are left out" in log.read_text()
    log.unlink()
    dbt_project.run()
    assert dbt_project.tables() == {"plain", "numbers"}
    assert "Python models are left out" not in log.read_text()
    with plugin_not_installed():
        dbt_project.run()
    assert "Python models are left out" in log.read_text()
