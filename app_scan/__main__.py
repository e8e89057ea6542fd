"""Lists what in a checkout of the app uses the retired credit pool: `python -m app_scan DIR`."""

import argparse
import json
import sys
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

from app_scan import retired
from app_scan.findings import Report

EXIT_CODES = "exit codes: 0 nothing is left to change, 1 something is, 2 the folder cannot be read"


def main(arguments: list[str] | None = None) -> int:
    """Scan, print, and answer the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m app_scan", description=__doc__, epilog=EXIT_CODES
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="a checkout of the app")
    parser.add_argument("--json", action="store_true", help="write one JSON document")
    parser.add_argument(
        "--include-api-providers",
        action="store_true",
        help="report the optional tables too, where the clean-up takes them",
    )
    options = parser.parse_args(arguments)
    if not options.folder.is_dir():
        return _refuse(f"{options.folder} is no folder: name a checkout of the app.")
    try:
        from app_scan.checkout import scan
    except ModuleNotFoundError as error:
        return _refuse(f"{error.name} is not installed: uv sync --group app-scan")
    try:
        report = scan(options.folder, retired.names(options.include_api_providers))
    except OSError as error:
        return _refuse(f"{error.filename} cannot be read: {error.strerror}.")
    if not report.files:
        return _refuse(
            f"{options.folder} has no TypeScript, SQL or shell: is it the app's checkout?"
        )
    print(_as_json(report) if options.json else _as_text(report))
    return 1 if report.findings or report.notes else 0


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2


def _as_json(report: Report) -> str:
    return json.dumps(asdict(report), indent=2)


def _as_text(report: Report) -> str:
    lines = []
    for path, findings in groupby(report.findings, key=lambda finding: finding.path):
        lines.append(path)
        for finding in findings:
            doubt = "" if finding.certainty == "sure" else " (check)"
            what = f"{finding.kind} {finding.name}, {finding.use}{doubt}"
            if finding.kind == "file":
                what = "the file"
            lines.append(f"  {finding.line:>5}  {what}: {finding.action}")
    lines += [f"not read in whole: {note}" for note in report.notes]
    sure = sum(finding.certainty == "sure" for finding in report.findings)
    places = len({finding.path for finding in report.findings})
    lines.append(
        f"{report.files} files read; {len(report.findings)} uses in {places} files:"
        f" {sure} to change, {len(report.findings) - sure} to look at."
    )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
