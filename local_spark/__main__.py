"""`python -m local_spark`: a cluster for the target `spark` on this machine, until ctrl-c."""

import argparse
import signal
import sys
import threading
from contextlib import suppress

from local_spark import cluster


def main(arguments: list[str]) -> int:
    """Answer the exit code."""
    parser = argparse.ArgumentParser(prog="python -m local_spark", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only ask whether Java is there")
    options = parser.parse_args(arguments)
    try:
        if options.check:
            cluster.check_java()
            return 0
        # Also where whoever started this ignores them; both end it as ctrl-c does.
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.default_int_handler)
        with cluster.running() as spark:
            settings = " ".join(f"{name}={value}" for name, value in spark.environment().items())
            print(f"Spark listens; ctrl-c ends it and removes its tables.\n  export {settings}")
            with suppress(KeyboardInterrupt):
                threading.Event().wait()
    except cluster.SparkError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
