"""Reads the files of a checkout, each by its language."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

import yaml

from app_scan import retired
from app_scan.apart import ParserCrash, run_apart
from app_scan.findings import Finding, Report
from app_scan.shell import scan_shell
from app_scan.sql import scan_sql, scan_words
from app_scan.typescript import scan_json, scan_typescript
from app_scan.uses import Use

SKIPPED = {
    *(".git", "node_modules", ".next", ".turbo", ".vercel", ".venv", "dist", "build", "out"),
    "coverage",
}
LARGEST_MIB = 8
LANGUAGES = {
    **dict.fromkeys((".ts", ".mts", ".cts"), "typescript"),
    **dict.fromkeys((".tsx", ".jsx", ".js", ".mjs", ".cjs"), "tsx"),
    **dict.fromkeys((".sql", ".psql", ".pgsql"), "sql"),
    **dict.fromkeys((".sh", ".bash", ".zsh", ".command"), "shell"),
    **dict.fromkeys((".yml", ".yaml"), "yaml"),
    **dict.fromkeys((".json", ".jsonc", ".json5"), "json"),
    # Of what has no reader here, the words are read.
    **dict.fromkeys((".prisma", ".toml", ".env", ".graphql", ".gql", ".http", ".rest"), "words"),
    **dict.fromkeys((".vue", ".svelte", ".astro", ".mdx", ".html"), "words"),
    **dict.fromkeys((".py", ".rb", ".go", ".php", ".tf", ".ini", ".conf"), "words"),
}
NAMES = ("Dockerfile", "Makefile", "Justfile", "Procfile", ".env")
SHELLS = ("sh", "bash", "zsh", "dash")


def scan(root: Path, names: retired.Names) -> Report:
    """Everything that uses what is retired, and what uses that, until nothing new is found."""
    report = Report(str(root))
    files = dict(_files(root, report))
    report.files = len(files)
    while True:
        before = set(names.dependents)
        findings: dict[tuple[str, int, str], Finding] = {}
        notes = []
        for path, (language, text) in files.items():
            is_ours, own = _file_itself(path, text)
            if is_ours:
                continue
            found, note = scan_text(language, text, names)
            if note and names.are_in(text):
                notes.append(f"{path}: {note}")
            for finding in (*own, *(_finding(path, use) for use in _judged(found))):
                key = (finding.path, finding.line, finding.name)
                known = findings.get(key)
                if known is None or _rank(finding) < _rank(known):
                    findings[key] = finding
        if names.dependents == before:
            report.findings = sorted(findings.values())
            report.notes += notes
            return report


def _judged(found: list[Use]) -> list[Use]:
    """Columns for sure only where the file uses a retired table: others have such names, too."""
    if any(use.is_sure and use.kind in ("table", "function") for use in found):
        return found
    return [replace(use, is_sure=use.is_sure and use.kind != "column") for use in found]


def _rank(finding: Finding) -> tuple[bool, bool]:
    """The smaller, the more is known: of two that say the same of one line the first is kept."""
    return finding.certainty != "sure", finding.use in ("mention", "value")


def scan_text(language: str, text: str, names: retired.Names) -> tuple[list[Use], str]:
    """All uses in a text of a language, and what of it was not read as such, in words."""
    if language == "none":
        return [], ""
    if language == "words":
        return [*scan_words(text, names)], ""
    note = ""
    if language == "sql":
        result = scan_sql(text, names)
        kept = {*names.tables, *names.functions}
        names.dependents |= {each for each in result.dependents if each not in kept}
        if result.is_broken:
            note = "is no whole SQL (a quote is left open), so it was read word by word"
        return result.uses, note
    try:
        return run_apart(scan_parsed, language, text, names)
    except ParserCrash:
        return [*scan_words(text, names)], "its parser crashed, so it was read word by word"


def scan_parsed(language: str, text: str, names: retired.Names) -> tuple[list[Use], str]:
    """`scan_text` of the languages that have a parser."""
    if language == "yaml":
        return _scan_yaml(text, names)
    scanner = {"shell": scan_shell, "json": scan_json}.get(language)
    if scanner:
        found, is_whole = scanner(text, names)
    else:
        found, is_whole = scan_typescript(text, names, language)
    return found, "" if is_whole else "was not understood in whole: look at it by hand, too"


def _scan_yaml(text: str, names: retired.Names) -> tuple[list[Use], str]:
    """Scalars of YAML, each as a script: workflows hold shell."""
    found: list[Use] = []
    try:
        for document in yaml.compose_all(text, Loader=yaml.SafeLoader):
            for scalar in _scalars(document):
                first = scalar.start_mark.line + (scalar.style in ("|", ">"))
                uses, _ = scan_shell(scalar.value, names)
                found += [use.at(use.line + first, is_sure=use.is_sure) for use in uses]
    except yaml.YAMLError:
        return found, "is no YAML, so the rest of it was not read"
    return found, ""


def _scalars(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif isinstance(node, yaml.SequenceNode):
        for each in node.value:
            yield from _scalars(each)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _scalars(key)
            yield from _scalars(value)


def _finding(path: str, use: Use) -> Finding:
    certainty = "sure" if use.is_sure else "check"
    if use.kind == "route":
        if use.use == "built":
            todo = "Look whether this address can become that of a route that goes."
        else:
            todo = retired.ROUTES[use.name]
        certainty = "check" if use.use == "built" or use.name == "credit-stats" else "sure"
        return Finding(path, use.line, "route", use.name, "request", certainty, todo)
    todo = retired.action(use.kind, use.use)
    if use.kind == "function" and use.use == "call" and use.arguments not in (-1, 3):
        todo = retired.OTHER_FUNCTION
    return Finding(path, use.line, use.kind, use.name, use.use, certainty, todo)


def _file_itself(path: str, text: str) -> tuple[bool, list[Finding]]:
    """Whether a file is one of app/'s already, and else what is to be done with it as a whole."""
    stem = str(PurePosixPath(path).with_suffix(""))
    for name, (todo, ours) in retired.FILES.items():
        if stem == name or stem.endswith("/" + name):
            if ours and ours in text:
                return True, []
            if todo:
                return False, [Finding(path, 1, "file", name, "file", "sure", todo)]
    return False, []


def _files(root: Path, report: Report) -> Iterator[tuple[str, tuple[str, str]]]:
    """Path, language and text of each file; links are not followed."""
    for path in _paths(root):
        name = path.relative_to(root).as_posix()
        try:
            language = _language(path)
            is_named = any(name.partition(".")[0].endswith(each) for each in retired.FILES)
            if not language and not is_named:
                continue
            if path.stat().st_size > LARGEST_MIB * 1024 * 1024:
                report.notes.append(f"{name}: is larger than {LARGEST_MIB} MiB and was not read")
                continue
            yield name, (language or "none", _decoded(path.read_bytes()))
        except OSError as error:
            report.notes.append(f"{name}: cannot be read ({error.strerror})")


def _paths(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_symlink():
            continue
        if path.is_dir():
            if path.name not in SKIPPED:
                yield from _paths(path)
        elif path.is_file():
            yield path


def _language(path: Path) -> str:
    language = LANGUAGES.get(path.suffix.lower(), "")
    if not language and path.name.startswith(NAMES):
        return "words"
    if language or path.suffix:
        return language
    with path.open("rb") as file:
        line = file.readline(200).decode(errors="replace")
    if line.startswith("#!"):
        program = line[2:].split()
        names = {Path(word).name for word in program}
        if names & {*SHELLS}:
            return "shell"
        if "node" in names:
            return "tsx"
    return ""


def _decoded(data: bytes) -> str:
    """UTF-8, or UTF-16 where it says so; a byte that is neither becomes a mark."""
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = data.decode(encoding, errors="replace")
    return text.replace("\r\n", "\n")
