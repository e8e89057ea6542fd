"""The faster start: garbage is sought less often, and templates are compiled once."""

import os
import subprocess
import sys
from pathlib import Path


def test_garbage_is_sought_less_often_and_frozen_once() -> None:
    """A process that runs dbt again and again does not keep the garbage of each run."""
    program = (
        "import gc; from dbt_pg_python_models.fast_start import seek_garbage_less_often as seek; "
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
from dbt_pg_python_models.fast_start import keep_compiled_templates
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
