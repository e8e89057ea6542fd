"""One month of the marts as files: CSV, Parquet, a workbook, a FOCUS file and a manifest."""
