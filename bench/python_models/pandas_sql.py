"""The way without dbt: pandas.read_sql, change, DataFrame.to_sql. Prints seconds."""

import os
import time

import pandas as pd
import sqlalchemy


def main() -> None:
    """Read, change and write the benchmark's table."""
    engine = sqlalchemy.create_engine(
        sqlalchemy.URL.create(
            "postgresql+psycopg2",
            username=os.environ["PGUSER"],
            database=os.environ["PGDATABASE"],
            query={"host": os.environ["PGHOST"]},
        )
    )
    start = time.perf_counter()
    df = pd.read_sql("select * from public.measurements", engine)
    df["doubled"] = df["ratio"] * 2
    df.to_sql("frame", engine, schema="marts", index=False, if_exists="replace")
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
