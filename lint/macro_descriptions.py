"""Check that every macro and each of its arguments is described in a YAML file of its folder.

What `adapter.dispatch` chooses from (`default__…`, `postgres__…`) is described where it is called.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, nodes

PACKAGES = ("paygen", "dbt_pg_python_models")


def signature(name: str, macro_sql: str) -> list[str]:
    """The argument names in the macro's own source."""
    tree = Environment(extensions=["jinja2.ext.do"]).parse(macro_sql)
    macro = next(node for node in tree.find_all(nodes.Macro) if node.name == name)
    return [argument.name for argument in macro.args]


def problems(manifest_path: Path) -> Iterator[str]:
    """What is not described, or described and not there, in one sentence each."""
    macros = json.loads(manifest_path.read_text())["macros"].values()
    for macro in macros:
        folder = Path(macro["path"]).parts[0]
        if macro["package_name"] not in PACKAGES or folder != "macros" or "__" in macro["name"]:
            continue
        where = f"{macro['original_file_path']}: macro {macro['name']}"
        if not macro["description"]:
            yield f"{where} has no description"
        if macro["name"].startswith("materialization_"):
            continue  # has no arguments to give
        described = {argument["name"]: argument["description"] for argument in macro["arguments"]}
        declared = signature(macro["name"], macro["macro_sql"])
        for name in declared:
            if not described.get(name):
                yield f"{where} does not describe its argument {name}"
        for name in described.keys() - set(declared):
            yield f"{where} describes {name}, which is none of its arguments"


def main(target: str) -> int:
    """Print all problems of the manifest in a target folder and answer the exit code."""
    found = list(problems(Path(target) / "manifest.json"))
    print(*found, sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
