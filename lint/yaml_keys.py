"""Check the project's YAML against dbt's own JSON schemas, and mappings against ours.

dbt checks them only for some adapters, and PostgreSQL is none: a misspelt key would do nothing in
silence.
"""

import json
import subprocess
import sys
from pathlib import Path

import yaml
from dbt.jsonschemas.jsonschemas import CustomDraft7Validator, project_schema, resources_schema

PROJECT = Path(__file__).resolve().parents[1]
MAPPING_SCHEMA = PROJECT / "mapping" / "schema.json"
FOLDERS = ("models", "mapping", "semantic", "macros", "seeds", "tests", "analyses", "snapshots")


def problems(path: Path) -> list[str]:
    """What a YAML file says that dbt does not know, each as `file: place: fault`."""
    content = yaml.safe_load(path.read_text())
    if path.name == "dbt_project.yml":
        schema = project_schema()
    elif any("overrides" in source for source in content.get("sources", [])):
        schema = json.loads(MAPPING_SCHEMA.read_text())
    else:
        schema = resources_schema()
    validator = CustomDraft7Validator(schema)
    return [
        f"{path.relative_to(PROJECT)}: {'.'.join(map(str, error.absolute_path))}: {error.message}"
        for error in validator.iter_errors(content)
    ]


def main() -> int:
    """Print all problems of all YAML files that dbt reads and answer the exit code."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.yml"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    files = [name for name in listed if name.startswith(FOLDERS) or name == "dbt_project.yml"]
    found = [problem for name in files for problem in problems(PROJECT / name)]
    print(*found, sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
