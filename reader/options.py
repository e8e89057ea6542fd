"""Options that the commands over the marts share."""

import argparse
import os


def add_schema(parser: argparse.ArgumentParser) -> None:
    """Let a command be told in which schema the marts are: `--schema`, else $PAYGEN_SCHEMA."""
    parser.add_argument(
        "--schema",
        type=_schema,
        default=os.environ.get("PAYGEN_SCHEMA") or "analytics",
        help="schema of the marts (analytics, or $PAYGEN_SCHEMA)",
    )


def add_port(parser: argparse.ArgumentParser, default: int, what: str) -> None:
    """Let a command be told on which port it serves something."""
    parser.add_argument(
        "--port", type=_port, default=default, help=f"of {what} ({default}); 0 for any that is free"
    )


def _schema(text: str) -> str:
    if not text or "\0" in text:
        raise argparse.ArgumentTypeError("a schema has a name, such as analytics")
    return text


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 0 <= int(text) < 2**16:
        raise argparse.ArgumentTypeError(f"'{text}' is no port: name one from 0 to {2**16 - 1}")
    return int(text)
