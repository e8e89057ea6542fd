"""The way into Apache Spark and out of it again: docs/spark.md."""
