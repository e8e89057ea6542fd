def model(dbt, session):  # noqa: D100, D103
    def doubled():
        for df in session.batches("select * from public.measurements"):
            df["doubled"] = df["ratio"] * 2
            yield df

    return doubled()
