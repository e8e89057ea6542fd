"""Registration: what a project without Python models pays, and what happens without the plugin."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from dbt.adapters.base import BaseAdapter
from dbt.adapters.factory import FACTORY, AdapterContainer
from dbt.adapters.postgres.impl import PostgresAdapter
from dbt.plugins.manager import PluginManager
from dbt_pg_python_models.plugin import ENVIRONMENT_FLAG, FAST_START_FLAG
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


@pytest.mark.parametrize(("flag", "is_faster"), [(None, False), ("0", False), ("1", True)])
def test_a_faster_start_is_asked_for(flag: str | None, is_faster: bool) -> None:
    """The package alone changes nothing of how dbt compiles and collects garbage."""
    program = (
        "import gc; from dbt_common.clients.jinja import MacroFuzzEnvironment as kind;"
        "from dbt_common.context import set_invocation_context; set_invocation_context({});"
        "from jinja2 import Environment; from dbt_pg_python_models import plugins;"
        "before = gc.get_threshold(); plugins[0]('any');"
        "print(kind.compile is not Environment.compile, gc.get_threshold() != before)"
    )
    environment = {**os.environ, FAST_START_FLAG: flag or ""}
    output = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
    ).stdout
    assert output.split() == [str(is_faster)] * 2


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
