"""Python models for dbt-postgres.

dbt imports every top-level module named `dbt_*` at each start and initialises the classes in
`plugins`. Nothing heavy may be imported here: pandas and pyarrow wait for the first Python model.
"""

from dbt_pg_python_models.plugin import PythonModelsPlugin

plugins = [PythonModelsPlugin]
