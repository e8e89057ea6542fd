"""Options that the commands over the marts share."""

import argparse
import os


def add_schema(parser: argparse.ArgumentParser) -> None:
    """Let a command be told in which schema the marts are: `--schema`, else $PAYGEN_SCHEMA."""
    parser.add_argument(
        "--schema",
        default=os.environ.get("PAYGEN_SCHEMA", "analytics"),
        help="schema of the marts (analytics, or $PAYGEN_SCHEMA)",
    )
