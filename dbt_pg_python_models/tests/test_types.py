"""Every PostgreSQL type: read, handed through pandas, written back unchanged or refused."""

import pytest
from dbt_project import DbtProject

# Type and three values: ordinary, null, and at the edge.
EXACT = {
    "smallint": ("1", "null", "-32768"),
    "integer": ("1", "null", "-2147483648"),
    "bigint": ("9007199254740993", "null", "-9223372036854775808"),
    "real": ("1.1", "null", "'-infinity'"),
    "double precision": ("0.1", "null", "1.7976931348623157e308"),
    "numeric(12,2)": ("1.50", "null", "-9999999999.99"),
    "numeric": (
        "123456789012345678901234567890.1234567890",
        "null",
        "'NaN'",
    ),
    "boolean": ("true", "null", "false"),
    "varchar(5)": ("'a b'", "null", "''"),
    "text": (r"E'a\n\\.\n\"b\",\t\r\\N'", "null", "''"),
    "character(3)": ("'a'", "null", "'abc'"),
    "uuid": (
        "'12345678-9abc-def0-1234-56789abcdef0'",
        "null",
        "'00000000-0000-0000-0000-000000000000'",
    ),
    "json": ("""'{"a":  [1, "ü"]}'""", "null", "'null'"),
    "jsonb": ("""'{"a": [1, null]}'""", "null", "'12345678901234567890.5'"),
    "date": ("'2024-02-29'", "null", "'0001-01-01'"),
    "time": ("'12:34:56.789012'", "null", "'23:59:59.999999'"),
    "timestamp": ("'2024-02-29 12:34:56.789012'", "null", "'0001-01-01'"),
    "timestamptz": (
        "'2024-02-29 12:34:56.789012+05:30'",
        "null",
        "'9999-12-31 23:59:59.999999+00'",
    ),
    "interval": ("'2 days 03:04:05.678901'", "null", "'-10000 days'"),
    "bytea": (r"'\x00ff'", "null", r"'\x'"),
    "integer[]": ("'{1,null,3}'", "null", "'{{1,2},{3,4}}'"),
    "text[]": (r"""array['a"b', 'null', null, '', E'\\{}']""", "null", "'{}'"),
    "numeric[]": ("'{1.10,2}'", "null", "'{123456789012345678901234567890.1}'"),
    "inet": ("'10.0.0.1/8'", "null", "'::1'"),
    "int4range": ("'[1,5)'", "null", "'empty'"),
    "bit(3)": ("b'101'", "null", "b'000'"),
    "timetz": ("'12:34:56+02'", "null", "'24:00:00-05'"),
    "mood": ("'glad'", "null", "'sad'"),
}
COLUMNS = {f"c{position}": type_name for position, type_name in enumerate(EXACT)}


@pytest.fixture
def round_trip(any_dbt_project: DbtProject) -> DbtProject:
    """A project with a table of all types and a model that hands it through."""
    project = any_dbt_project
    project.execute("create type mood as enum ('glad', 'sad'); create schema raw")
    columns = ", ".join(f"{name} {type_name}" for name, type_name in COLUMNS.items())
    project.execute(f"create table raw.every_type (row integer, {columns})")
    for row in range(3):
        values = ", ".join(values[row] for values in EXACT.values())
        project.execute(f"insert into raw.every_type values ({row}, {values})")
    project.model(
        "copied",
        """
        def model(dbt, session):
            return session.sql("select * from raw.every_type")
        """,
        columns=[
            {"name": name, "data_type": type_name.replace("mood", "public.mood")}
            for name, type_name in COLUMNS.items()
        ],
    )
    return project


def test_every_type_comes_back_unchanged(round_trip: DbtProject) -> None:
    """The declared types, values compared by the server as text."""
    round_trip.run()
    names = ", ".join(f"{name}::text" for name in COLUMNS)
    copied = round_trip.query(f"select {names} from marts.copied order by row")
    assert copied == round_trip.query(f"select {names} from raw.every_type order by row")
    assert len(copied) == 3
    declared = round_trip.query(
        "select format_type(atttypid, atttypmod) from pg_attribute"
        " where attrelid = 'raw.every_type'::regclass and attnum > 1 order by attnum"
    )
    assert list(round_trip.types("copied").values())[1:] == [name for (name,) in declared]
