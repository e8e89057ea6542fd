"""One run of one Python model, on dbt's own connection and in its transaction."""

import importlib.metadata
import inspect
import json
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from typing import Any

import pandas as pd
import pyarrow as pa
from dbt.adapters.base.impl import PythonJobHelper
from packaging.requirements import Requirement

from dbt_pg_python_models import postgres, spark, writing
from dbt_pg_python_models.encoding import encode
from dbt_pg_python_models.engine import Engine
from dbt_pg_python_models.errors import PythonModelError, describe_exception, remember_source
from dbt_pg_python_models.session import Session
from dbt_pg_python_models.settings import Settings, settings_of
from dbt_pg_python_models.spool import Spool

OPENED: dict[str, Callable[[Any], AbstractContextManager[Engine]]] = {
    "postgres": postgres.opened,
    "spark": spark.opened,
}


class InProcessJob(PythonJobHelper):
    """Runs a model in this process, on the connection dbt has open for it."""

    def __init__(self, parsed_model: dict[str, Any], credential: Any, connections: Any) -> None:
        self._model = parsed_model
        self._connections = connections
        self._opened = OPENED[connections.TYPE]

    def submit(self, compiled_code: str) -> int:
        """Run the model and fill its staging table; return the number of rows.

        Raises:
            DbtRuntimeError: the model or its result is at fault; the transaction is rolled back.
            DbtDatabaseError: the engine is.
        """
        with self._connections.exception_handler(self._model["unique_id"]):
            self._refuse_what_cannot_work()
            with (
                self._opened(self._connections) as engine,
                closing(Session(engine, self._settings())) as session,
            ):
                return self._run(compiled_code, session, engine)

    def _settings(self) -> Settings:
        return settings_of(self._model["config"])

    def _refuse_what_cannot_work(self) -> None:
        if self._model.get("extra_ctes"):
            names = ", ".join(cte["id"] for cte in self._model["extra_ctes"])
            raise PythonModelError(
                f"a Python model cannot read an ephemeral model ({names}): materialize it as a view"
            )
        check_packages(self._model["config"].get("packages") or [])

    def _run(self, code: str, session: Session, engine: Engine) -> int:
        declared = {
            name: column["data_type"]
            for name, column in self._model["columns"].items()
            if column.get("data_type")
        }
        documented = self._model["columns"] if self._settings().contract else ()
        columns = writing.Columns()
        model_file = self._model["original_file_path"]
        with _model_module(model_file, code) as module:
            target = writing.Target(**json.loads(module.dbt_pg_python_models_target))
            dbt = module.dbtObj(session.table)
            with _blaming(model_file):
                result = module.model(dbt, session)
            tables: Spool | list[pa.Table]
            with Spool() if inspect.isgenerator(result) else nullcontext([]) as tables:
                for batch in _batches(result, model_file):
                    table = encode(batch, declared)
                    columns.add(table, declared)
                    tables.append(table)
                    del batch, table
                del result
                writing.check_contract(columns.names, documented, declared)
                existing = engine.column_types(target.existing) if target.existing else {}
                types_ = writing.decide_types(
                    columns, declared, target, existing, session.types_read
                )
                return engine.write(target, types_, columns, tables)


def _batches(result: Any, model_file: str) -> Iterator[pd.DataFrame | pa.Table]:
    if not inspect.isgenerator(result):
        yield result
        return
    empty = True
    while True:
        with _blaming(model_file):
            batch = next(result, None)
        if batch is None:
            break
        empty = False
        yield batch
    if empty:
        raise PythonModelError("the model yielded nothing: yield at least one, empty DataFrame")


@contextmanager
def _model_module(model_file: str, code: str) -> Iterator[types.ModuleType]:
    """A module of the model's code, to be found by dataclasses and pickle while it runs."""
    module = types.ModuleType(f"dbt_python_model_{id(code)}")
    module.__file__ = model_file
    remember_source(model_file, code)
    sys.modules[module.__name__] = module
    try:
        with _blaming(model_file):
            exec(compile(code, model_file, "exec"), module.__dict__)
        yield module
    finally:
        del sys.modules[module.__name__]


@contextmanager
def _blaming(model_file: str) -> Iterator[None]:
    """Turn whatever a model raises into an error dbt knows.

    BaseException too: `sys.exit()` or a panic in native code would hang dbt's thread pool.
    """
    try:
        yield
    except BaseException as error:
        raise PythonModelError(describe_exception(error, model_file)) from error


def check_packages(packages: list[str]) -> None:
    """Refuse to start a model whose configured `packages` are not installed.

    Raises:
        PythonModelError: one is missing or has another version than asked for.
    """
    for package in packages:
        requirement = Requirement(package)
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            version = None
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            raise PythonModelError(
                f"the model needs {package}, "
                + (f"but {version} is installed" if version else "which is not installed")
                + f": uv add '{package}'"
            )
