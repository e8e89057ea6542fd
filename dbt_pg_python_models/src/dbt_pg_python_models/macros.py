"""The package's macros: how dbt finds them, as it finds an adapter's."""

from pathlib import Path

from dbt.adapters.factory import FACTORY, AdapterContainer

PROJECT_NAME = "dbt_pg_python_models"
ADAPTERS = ("postgres", "spark")
FOLDER = Path(__file__).parent / "include"


def register_macros() -> None:
    """Put the macros beside those of an adapter, before them in the order of search.

    A root project's macros and materializations of the same name still win.
    """
    FACTORY.packages[PROJECT_NAME] = FOLDER
    FACTORY.get_adapter_package_names = _package_names  # type: ignore[method-assign]


def _package_names(name: str | None) -> list[str]:
    names = AdapterContainer.get_adapter_package_names(FACTORY, name)
    return [PROJECT_NAME, *names] if name in ADAPTERS else names
