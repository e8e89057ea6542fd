"""The faster dbt: garbage is sought less often, templates are compiled once, less is copied."""

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


def run(program: str) -> list[str]:
    """The words that a new Python prints."""
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()


def test_an_argument_makes_what_it_names_and_nothing_else() -> None:
    """Of many macros, those that are named; what Jinja itself knows is known still."""
    program = """
from collections import ChainMap
from dbt_common.clients.jinja import get_template
from dbt_pg_python_models.fast_start import look_up_names_of_arguments
class Namespace(ChainMap):
    made = 0
    def __getitem__(self, name):
        Namespace.made += 1
        return super().__getitem__(name)
macros = Namespace({f"macro_{number}": (lambda number=number: number) for number in range(100)})
text = "{{ macro_7() + (range(3) | list | length) }}"
for change in (lambda: None, look_up_names_of_arguments):
    change()
    Namespace.made = 0
    print(get_template(text, macros, native=True).render(macros), Namespace.made < 10)
"""
    assert run(program) == ["10", "False", "10", "True"]


def test_answers_are_read_as_before() -> None:
    """Of the same columns twice, with names in one order and the other."""
    program = """
from dbt_common.clients import agate_helper
from dbt_pg_python_models.fast_start import keep_type_testers
tables = [(["a", "b"], [["1", "null"], ["", "2"]]), (["b", "a"], [[1, "x"], [None, "2024-01-01"]])]
def read():
    return [
        [[repr(value) for value in row] for row in agate_helper.table_from_rows(rows, names, text)]
        for names, rows in tables for text in (None, names, names[:1])
    ]
before = read()
keep_type_testers()
keep_type_testers()
print(read() == before, read() == before)
"""
    assert run(program) == ["True", "True"]
