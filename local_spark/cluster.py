"""Start and stop a standalone cluster: a master, two workers and a thrift server, all processes.

Each listens on an address of its own, 127.0.0.1 to 127.0.0.3, and all they write is in one folder.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

# The oldest that Spark 4 runs on.
JAVA_VERSION = 17
WAIT_SECONDS = 180
WORKERS = ("127.0.0.2", "127.0.0.3")
SETTINGS = {
    "spark.cores.max": "2",
    "spark.executor.memory": "640m",
    "spark.executor.cores": "1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    # Little data: more partitions would only be more tasks.
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.enabled": "false",
    "spark.hadoop.hive.server2.thrift.bind.host": "127.0.0.1",
}


class SparkError(Exception):
    """Why Spark cannot be started, in one sentence."""


@dataclass(frozen=True)
class Cluster:
    """A running cluster: where its thrift server is found, and the process of each part."""

    host: str
    port: int
    folder: Path
    processes: Mapping[str, subprocess.Popen]

    def environment(self) -> dict[str, str]:
        """What the target `spark` of profiles.yml.example reads."""
        return {"SPARK_HOST": self.host, "SPARK_PORT": str(self.port)}


def check_java() -> None:
    """Refuse a Java that Spark does not run on."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home, "bin", "java")) if home else "java"
    install = "install one, on Debian: apt-get install openjdk-17-jre-headless"
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        raise SparkError(
            f"Spark needs Java, and `{java} -version` does not run: {install}"
        ) from None
    found = re.search(r'version "(\d+)', answer.stderr)
    if not found or int(found[1]) < JAVA_VERSION:
        raise SparkError(
            f"Spark 4 needs Java {JAVA_VERSION} or newer, and {java} is version"
            f" {found[1] if found else 'unknown'}: {install}"
        )


@contextmanager
def running(settings: Mapping[str, str] | None = None) -> Iterator[Cluster]:
    """A cluster with nothing in it, ended and removed afterwards."""
    check_java()
    folder = Path(tempfile.mkdtemp(prefix="paygen-spark-"))
    processes: dict[str, subprocess.Popen] = {}
    try:
        yield _start(folder, processes, {**SETTINGS, **(settings or {})})
    finally:
        for process in reversed(processes.values()):
            _end(process)
        shutil.rmtree(folder, ignore_errors=True)


def _start(
    folder: Path, processes: dict[str, subprocess.Popen], settings: Mapping[str, str]
) -> Cluster:
    master, port = f"spark://127.0.0.1:{(master_port := _free_port())}", _free_port()
    options = ["-h", "127.0.0.1", "-p", str(master_port), "--webui-port", "0"]
    processes["master"] = _run(
        folder, "master", ["spark-class", "org.apache.spark.deploy.master.Master", *options]
    )
    _wait_for_port(folder, "master", processes["master"], master_port)
    for number, address in enumerate(WORKERS, 1):
        name = f"worker-{number}"
        options = ["-h", address, "--cores", "1", "--memory", "768m", "--webui-port", "0"]
        options += ["-d", str(folder / name), master]
        processes[name] = _run(
            folder, name, ["spark-class", "org.apache.spark.deploy.worker.Worker", *options]
        )
    settings = {
        **settings,
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.hadoop.javax.jdo.option.ConnectionURL": (
            f"jdbc:derby:;databaseName={folder / 'metastore'};create=true"
        ),
        "spark.hadoop.hive.exec.scratchdir": str(folder / "scratch"),
        "spark.hadoop.hive.server2.thrift.port": str(port),
        "spark.driver.extraJavaOptions": f"-Dderby.system.home={folder}",
    }
    options = [part for item in settings.items() for part in ("--conf", "=".join(item))]
    options += ["--class", "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2"]
    processes["driver"] = _run(
        folder, "driver", ["spark-submit", "--master", master, *options, "spark-internal"]
    )
    _wait_for_port(folder, "driver", processes["driver"], port)
    return Cluster("127.0.0.1", port, folder, processes)


def _run(folder: Path, name: str, command: list[str]) -> subprocess.Popen:
    import pyspark  # of the dependency group `spark`

    home = Path(pyspark.__file__).parent
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            [str(home / "bin" / command[0]), *command[1:]],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={
                **{key: value for key, value in os.environ.items() if "SPARK" not in key},
                "SPARK_HOME": str(home),
                # Of a thrift server too, other than --driver-memory.
                "SPARK_DAEMON_MEMORY": "1400m" if name == "driver" else "192m",
                "SPARK_LOCAL_DIRS": str(temporary),
                "_JAVA_OPTIONS": f"-Djava.io.tmpdir={temporary} -XX:+UseSerialGC",
            },
        )


def _wait_for_port(folder: Path, name: str, process: subprocess.Popen, port: int) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.2)
    lines = (folder / f"{name}.log").read_text(errors="replace").splitlines()
    causes = [line for line in lines if re.search(r"Exception|Error|[Ff]ailed|[Rr]efused", line)]
    why = (causes[:40] or lines or ["it says nothing"])[-1].strip()
    raise SparkError(f"Spark's {name} does not listen on port {port}: {why}")


def _end(process: subprocess.Popen) -> None:
    for kind, seconds in ((signal.SIGTERM, 20), (signal.SIGKILL, 10)):
        if process.poll() is None:
            process.send_signal(kind)
            with suppress(subprocess.TimeoutExpired):
                process.wait(seconds)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
