"""Apache Spark on this machine, out of pip's files: for tests, and to try the target `spark`."""
