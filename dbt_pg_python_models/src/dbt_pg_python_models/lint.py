"""Find `dbt.ref` and its like where dbt's static analysis does not see them.

dbt reads a model's inputs from its source text and overlooks calls in some places (in a
comprehension, before a subscript and a method, under another name). Such a model fails at run time,
or runs before its input does.
"""

import argparse
import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dbt.parser.models import PythonParseVisitor
from dbt_common.exceptions import DbtBaseException

DBT_CALLS = (".ref", ".source", ".config", ".config.get", ".config.meta_get")


class _Seen(PythonParseVisitor):
    """dbt's own analysis, remembering the calls it finds."""

    def __init__(self) -> None:
        PythonParseVisitor.__init__(self, None)
        self.calls: set[ast.Call] = set()

    def _get_call_literals(self, node: ast.Call) -> Any:
        self.calls.add(node)
        return PythonParseVisitor._get_call_literals(self, node)


def missed_calls(code: str) -> list[tuple[int, str]]:
    """Line and text of each call to dbt that dbt does not see.

    Args:
        code: the source text of one Python model.

    Raises:
        DbtBaseException: dbt cannot analyse it: an argument is no literal.
        SyntaxError: it is not Python.
    """
    tree = ast.parse(code)
    seen = _Seen()
    seen.visit(tree)
    return [
        (node.lineno, ast.unparse(node))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and node not in seen.calls and _is_dbt_call(node)
    ]


def _is_dbt_call(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and ast.unparse(node.func).endswith(DBT_CALLS)


def problems(folder: Path) -> Iterator[str]:
    """One line for each problem in the Python models of a folder."""
    for path in sorted(folder.rglob("*.py")):
        try:
            for line, call in missed_calls(path.read_text()):
                yield (
                    f"{path}:{line}: dbt does not see {call}; "
                    "put it on a line of its own: `name = dbt…(…)`"
                )
        except SyntaxError as error:
            yield f"{path}:{error.lineno}: {error.msg}"
        except DbtBaseException as error:
            yield f"{path}: {error}"


def main() -> int:
    """Check the folders named on the command line; 1 where there is a problem."""
    parser = argparse.ArgumentParser(
        prog="python -m dbt_pg_python_models.lint",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", nargs="+", type=Path, help="folder of models, such as models/")
    found = [line for folder in parser.parse_args().folder for line in problems(folder)]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
