"""A PostgreSQL of the project's own, an app's database on it, and dbt run there.

The demo, the tests, the linters and the benchmarks all use it.
"""
