"""dbt's own conformance suite for Python models, on each PostgreSQL.

The suite's models are written for Spark's DataFrames. Only those calls are put in pandas' words.
"""

import os

import psycopg2
import pytest
from dbt.adapters.factory import reset_adapters
from dbt.tests.adapter.python_model import test_python_model as suite

# The fixtures the suite is built from.
from dbt.tests.fixtures.project import *  # noqa: F403
from servers import Server

DATABASE = f"conformance_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
pytestmark = pytest.mark.filterwarnings("ignore:Class-scoped fixtures:pytest.PytestWarning")


@pytest.fixture(scope="class")
def dbt_profile_target(any_server: Server) -> dict:
    """Point the suite at a database of each server."""
    reset_adapters()  # of other tests in this process
    connection = psycopg2.connect(
        host=any_server.host, port=any_server.port, user=any_server.user, dbname="postgres"
    )
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"drop database if exists {DATABASE} with (force)")
        cursor.execute(f"create database {DATABASE}")
    connection.close()
    return {
        "type": "postgres",
        "threads": 2,
        "host": any_server.host,
        "port": any_server.port,
        "user": any_server.user,
        "pass": "",
        "dbname": DATABASE,
    }


class TestPythonModel(suite.BasePythonModelTests):
    """ref, versioned ref and source; SQL after Python."""

    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        """The suite's models for pandas."""
        return {
            "schema.yml": suite.schema_yml,
            "my_sql_model.sql": suite.basic_sql,
            "my_versioned_sql_model_v1.sql": suite.basic_sql,
            "my_python_model.py": suite.basic_python.replace("df.limit(2)", "df.head(2)"),
            "second_sql_model.sql": suite.second_sql,
        }


class TestPythonIncremental(suite.BasePythonIncrementalTests):
    """is_incremental and a unique key."""

    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        """The suite's models for pandas."""
        in_pandas = suite.incremental_python.replace("df.filter(df.id > 5)", "df[df.id > 5]")
        return {"m_1.sql": suite.m_1, "incremental.py": in_pandas}


class TestPythonMetaGet(suite.BasePythonMetaGetTests):
    """config.meta_get."""

    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        """The suite's models for pandas."""
        return {
            "meta_test.py": _pandas_frame(suite.python_model_meta_get),
            "meta_from_schema.py": _pandas_frame(suite.python_model_meta_from_schema),
            "schema.yml": suite.schema_yml_with_meta,
        }


class TestPythonEmpty(suite.BasePythonEmptyTests):
    """--empty does not filter what Python reads."""


class TestPythonSample(suite.BasePythonSampleTests):
    """--sample does not, either."""


def _pandas_frame(code: str) -> str:
    in_pandas = code.replace("session.createDataFrame(data, [", "pd.DataFrame(data, columns=[")
    assert in_pandas != code
    return f"import pandas as pd\n{in_pandas}"
