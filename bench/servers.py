"""The server that is measured, and how dbt reaches it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import report
from local_postgres import server as embedded
from local_postgres.databases import PROJECT, connect, environment
from local_postgres.server import Server


def start_server(data: Path) -> Server:
    """Start a new server with memory as the manual advises; the demo's has to fit anywhere."""
    with connect(embedded.start(data), "postgres") as connection, connection.cursor() as cursor:
        for setting, value in report.server_settings().items():
            cursor.execute(f"alter system set {setting} = '{value}'")
    embedded.stop(data)
    return embedded.start(data)


@contextmanager
def new_server() -> Iterator[tuple[Server, Path]]:
    """A new server, and the folder that it and dbt write into; both are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="paygen-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the server may run as another user
        data = folder / "server"
        server = start_server(data)
        try:
            yield server, folder
        finally:
            embedded.stop(data)


def dbt_environment(server: Server, folder: Path) -> dict[str, str]:
    """Variables by which dbt builds the project on a server and writes only into a folder."""
    (folder / "profiles.yml").write_text((PROJECT / "profiles.yml.example").read_text())
    return {
        **environment(server),
        "DBT_TARGET": "prod",
        "DBT_PROFILES_DIR": str(folder),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "0",
        "DBT_QUIET": "1",
    }
