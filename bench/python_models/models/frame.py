def model(dbt, session):  # noqa: D100, D103
    df = dbt.source("bench", "measurements")
    df["doubled"] = df["ratio"] * 2
    return df
