"""A cluster by the command of the documents, before the other tests start theirs."""

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from local_spark.cluster import SparkError, check_java
from tests.app_database import PROJECT

pytestmark = pytest.mark.spark


def test_the_command_of_the_documents() -> None:
    """It says where Spark listens, and leaves neither process nor folder at ctrl-c."""
    before = set(Path(tempfile.gettempdir()).glob("paygen-spark-*"))
    command = [sys.executable, "-u", "-m", "local_spark"]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        said = [process.stdout.readline() for _ in range(2)]
        (folder,) = set(Path(tempfile.gettempdir()).glob("paygen-spark-*")) - before
        process.send_signal(signal.SIGINT)
    assert process.returncode == 0
    assert "export SPARK_HOST=127.0.0.1 SPARK_PORT=" in said[1]
    assert not folder.exists()


@pytest.mark.parametrize(("version", "sentence"), [("11.0.2", "is version 11"), ("", "not run")])
def test_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, sentence: str) -> None:
    """Without Java, or with one that Spark does not run on, a sentence says what to install."""
    if version:
        java = tmp_path / "bin" / "java"
        java.parent.mkdir()
        java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
        java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(SparkError, match=f"{sentence}.*openjdk-17-jre-headless"):
        check_java()
