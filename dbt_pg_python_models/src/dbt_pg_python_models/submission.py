"""One run of one Python model, inside dbt's transaction."""

import importlib.metadata
import inspect
import json
import sys
import types
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from typing import Any

import pandas as pd
import pyarrow as pa
from dbt.adapters.base.impl import PythonJobHelper
from packaging.requirements import Requirement

from dbt_pg_python_models import writing
from dbt_pg_python_models.encoding import encode
from dbt_pg_python_models.errors import PythonModelError, describe_exception, remember_source
from dbt_pg_python_models.session import Session
from dbt_pg_python_models.settings import Settings, settings_of
from dbt_pg_python_models.spool import Spool

# The text forms that `reading` and `encoding` count on. The transaction stays open while a model
# computes, however long that takes.
TRANSACTION_SETTINGS = {
    "timezone": "UTC",
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "idle_in_transaction_session_timeout": "0",
}


class InProcessJob(PythonJobHelper):
    """Runs a model in this process, on the connection dbt has open for it."""

    def __init__(self, parsed_model: dict[str, Any], credential: Any, connections: Any) -> None:
        self._model = parsed_model
        self._credential = credential
        self._connections = connections

    def submit(self, compiled_code: str) -> int:
        """Run the model and fill its staging table; return the number of rows.

        Raises:
            DbtRuntimeError: the model or its result is at fault; the transaction is rolled back.
            DbtDatabaseError: PostgreSQL is.
        """
        with self._connections.exception_handler(self._model["unique_id"]):
            self._refuse_what_cannot_work()
            connection = self._connections.get_thread_connection()
            if not connection.transaction_open:
                self._connections.begin()
            with (
                connection.handle.cursor() as cursor,
                _transaction_settings(cursor),
                closing(Session(connection.handle, self._settings())) as session,
            ):
                return self._run(compiled_code, session, cursor)

    def _settings(self) -> Settings:
        return settings_of(self._model["config"])

    def _refuse_what_cannot_work(self) -> None:
        if self._credential.autocommit:
            raise PythonModelError(
                "Python models need a transaction: remove `autocommit: true` from the profile"
            )
        if self._model.get("extra_ctes"):
            names = ", ".join(cte["id"] for cte in self._model["extra_ctes"])
            raise PythonModelError(
                f"a Python model cannot read an ephemeral model ({names}): materialize it as a view"
            )
        check_packages(self._model["config"].get("packages") or [])

    def _run(self, code: str, session: Session, cursor: Any) -> int:
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
                types_ = writing.decide_types(cursor, columns, declared, target, session.types_read)
                writing.create(cursor, target, types_)
                return writing.copy_in(cursor, target.relation, columns, tables)


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
def _transaction_settings(cursor: Any) -> Iterator[None]:
    """Apply our settings, and give the hooks that follow theirs back. A rollback does so, too."""
    before = {}
    for name, value in TRANSACTION_SETTINGS.items():
        cursor.execute("select current_setting(%s), set_config(%s, %s, true)", (name, name, value))
        before[name] = cursor.fetchone()[0]
    yield
    for name, value in before.items():
        cursor.execute("select set_config(%s, %s, true)", (name, value))


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
