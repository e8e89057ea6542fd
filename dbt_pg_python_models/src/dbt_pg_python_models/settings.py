"""The options of a Python model: its `python_job_config`."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from dbt_pg_python_models.errors import PythonModelError


@dataclass(frozen=True)
class Settings:
    """How a model reads its input and how strictly its output is checked.

    Attributes:
        numeric: `exact` reads numeric columns as `decimal.Decimal`, `float` as float64.
        contract: the returned columns must be those of the YAML, no more and no fewer.
        max_rows: rows that one `ref`, `source` or `session.sql` may load; 0 is no limit.
        max_megabytes: megabytes (as text, about what a DataFrame takes) that one of them may load.
    """

    numeric: str = "exact"
    contract: bool = False
    max_rows: int = 0
    max_megabytes: int = 2048

    def __post_init__(self) -> None:
        if self.numeric not in ("exact", "float"):
            raise PythonModelError(
                f"python_job_config: numeric is 'exact' or 'float', not {self.numeric!r}"
            )
        for name, kind in (("contract", bool), ("max_rows", int), ("max_megabytes", int)):
            value = getattr(self, name)
            if type(value) is not kind or value < 0:
                raise PythonModelError(
                    f"python_job_config: {name} is {'true or false' if kind is bool else 'a count'}"
                    f", not {value!r}"
                )


def settings_of(config: Mapping[str, Any]) -> Settings:
    """Read a model's configuration; an unknown option is an error, not ignored."""
    given = config.get("python_job_config") or {}
    known = [field.name for field in fields(Settings)]
    if unknown := set(given) - set(known):
        raise PythonModelError(
            f"python_job_config has no option {', '.join(sorted(unknown))}; "
            f"the options are {', '.join(known)}"
        )
    return Settings(**given)
