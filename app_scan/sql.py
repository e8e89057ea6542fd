"""SQL, read by sqlglot's tokenizer for PostgreSQL: comments, quotes and dollar quotes are known.

Tokens and not trees: migrations hold PL/pgSQL, psql's own commands and statements of extensions,
which no parser of SQL reads in whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby

from sqlglot.dialects import Postgres
from sqlglot.errors import TokenError
from sqlglot.tokens import Token, TokenType

from app_scan.retired import Names
from app_scan.uses import Use

_STRINGS = {
    *(TokenType.STRING, TokenType.BYTE_STRING, TokenType.NATIONAL_STRING),
    *(TokenType.HEREDOC_STRING, TokenType.RAW_STRING, TokenType.UNICODE_STRING),
}
_BETWEEN_PARTS = str.maketrans("", "", "'|, \n\t")  # of a text that is put together
_CHANGES = {"alter", "grant", "revoke", "comment", "create", "truncate", "copy", "drop", "analyze"}
_BEFORE_TABLES = {"from", "join", "into", "update", "table", "view", "materialized view"}
_SKIPPED = {"if", "not", "exists", "only", "or", "replace", "temporary", "temp", "unlogged"}


@dataclass
class Scan:
    """Uses in one text of SQL, and the functions and views in it that use what is retired."""

    uses: list[Use] = field(default_factory=list)
    dependents: set[str] = field(default_factory=set)
    is_broken: bool = False


def scan_sql(sql: str, names: Names) -> Scan:
    """All uses, bodies and strings included. A text with a quote left open is read line by line."""
    scan = Scan()
    if not (names.are_in(sql) or names.are_in(sql.translate(_BETWEEN_PARTS))):
        return scan
    sql = _without_copied_rows(sql)
    try:
        tokens = Postgres().tokenize(sql)
    except TokenError:
        scan.is_broken = True
        scan.uses += scan_words(sql, names)
        return scan
    statement: list[Token] = []
    for token in [*tokens, None]:
        if token is None or token.token_type == TokenType.SEMICOLON:
            _scan_statement(statement, sql, names, scan)
            statement = []
        else:
            statement.append(token)
    return scan


def _scan_statement(statement: list[Token], sql: str, names: Names, scan: Scan) -> None:
    found = len(scan.uses)
    for place, token in enumerate(statement):
        is_quoted = token.token_type == TokenType.IDENTIFIER and " " in token.text
        if token.token_type in _STRINGS or is_quoted:  # of a shell, "select …" is a text too
            before = statement[place - 1] if place else None
            scan.uses += _uses_of_string(token, before, sql, names)
        elif kind := names.kind_of(token.text):
            use = _use(statement, place, kind, names, sql)
            if use:
                scan.uses.append(use)
    for strings in _put_together(statement):
        text = "".join(each.text for each in strings)
        for use in scan_sql(text, names).uses:
            moved = use.at(_line(sql, strings[0].start), is_sure=" " in text)
            scan.uses.append(replace(moved, offset=strings[0].start))
    created = _created(statement)
    if created and any(
        use.is_sure and use.name != created and use.kind in ("table", "function", "dependent")
        for use in scan.uses[found:]
    ):
        scan.dependents.add(created)


def _put_together(statement: list[Token]) -> Iterator[list[Token]]:
    """Strings that `||` or `concat` makes one of."""
    run: list[Token] = []
    is_concat = False
    for token in [*statement, None]:
        kind = token.token_type if token else None
        if token and kind in _STRINGS:
            run.append(token)
        elif kind != TokenType.DPIPE and not (
            is_concat and kind in (TokenType.COMMA, TokenType.L_PAREN)
        ):
            if len(run) > 1:
                yield run
            run = []
            is_concat = token is not None and token.text.lower() == "concat"


def _uses_of_string(token: Token, before: Token | None, sql: str, names: Names) -> Iterator[Use]:
    """What a quoted text says: a name, or SQL, as a body is and what `execute` gets."""
    # The tokenizer leaves the rest of `call`, `refresh`, `copy` and the like as one text.
    is_rest = before is not None and before.token_type == TokenType.COMMAND
    start = before.end if is_rest else token.start
    start = max(sql.find(token.text, start), start)
    kind = names.kind_of(token.text.strip().rpartition(".")[2].strip('"'))
    if kind in ("table", "function", "alert") and not is_rest:
        name = token.text.strip().rpartition(".")[2].strip('"').lower()
        is_alert = kind == "alert"
        use = "value" if is_alert else "mention"
        yield Use(_line(sql, start), kind, name, use, is_sure=is_alert, is_exact=True, offset=start)
        return
    is_body = is_rest or token.token_type == TokenType.HEREDOC_STRING or " " in token.text.strip()
    for use in scan_sql(token.text, names).uses:
        moved = use.at(_line(sql, start + use.offset), is_sure=is_body)
        yield replace(moved, offset=start + use.offset)


def _use(statement: list[Token], place: int, kind: str, names: Names, sql: str) -> Use | None:
    token = statement[place]
    name = token.text.lower() if kind != "field" else token.text
    follows = statement[place + 1 : place + 2]
    is_called = bool(follows) and follows[0].token_type == TokenType.L_PAREN
    first = statement[0].text.lower()
    is_object = _object(statement) == place
    arguments = _arguments(statement, place + 1) if is_called else -1
    use = "query"
    if kind == "dependent":
        before = statement[place - 1].text.lower() if place else ""
        if is_object or not (is_called or before in _BEFORE_TABLES):
            return None
        use = "call" if is_called else "query"
    elif is_object and first == "create":
        use = "definition"
        if kind == "function" and arguments not in (-1, names.functions[name]):
            return None  # another function of the same name, which stays
    elif is_object and first == "drop":
        use = "drop"
        if kind == "function" and arguments not in (-1, names.functions[name]):
            return None
    elif first in _CHANGES and not _has_body(statement, place):
        use = "change"
    elif kind == "function":
        use = "call"
    elif kind in ("column", "field", "alert"):
        use = "value"
    return Use(
        _line(sql, token.start),  # its own `line` is wrong after a `$1`
        kind,
        name,
        use,
        is_sure=kind != "field",
        offset=token.start,
        is_followed_by_parenthesis=is_called,
        arguments=arguments,
    )


def _line(sql: str, offset: int) -> int:
    return sql.count("\n", 0, offset) + 1


def _has_body(statement: list[Token], place: int) -> bool:
    """Whether the name stands in the query of a `create … as`."""
    return any(token.text.lower() in ("as", "select") for token in statement[:place])


def _object(statement: list[Token]) -> int:
    """The place of the name of what a statement creates or drops; -1 where it does neither."""
    if statement[0].text.lower() not in ("create", "drop"):
        return -1
    kinds = {"table", "function", "procedure", "view", "materialized view"}
    for place, token in enumerate(statement[1:6], start=1):
        if token.text.lower() in kinds:
            place += 1
            while place < len(statement) and statement[place].text.lower() in _SKIPPED:
                place += 1
            while place + 2 < len(statement) and statement[place + 1].token_type == TokenType.DOT:
                place += 2
            return place
    return -1


def _created(statement: list[Token]) -> str:
    """The function or view that a statement creates; a table is not broken by what is retired."""
    if not statement or statement[0].text.lower() != "create":
        return ""
    place = _object(statement)
    words = {token.text.lower() for token in statement[:place]} if place > 0 else set()
    if 0 < place < len(statement) and words & {
        "function",
        "procedure",
        "view",
        "materialized view",
    }:
        return statement[place].text.lower()
    return ""


def _arguments(statement: list[Token], place: int) -> int:
    """How many arguments stand in the parentheses that begin here."""
    depth, count = 0, 0
    for token in statement[place:]:
        if token.token_type == TokenType.L_PAREN:
            depth += 1
        elif token.token_type == TokenType.R_PAREN:
            depth -= 1
            if depth == 0:
                return count
        elif depth == 1 and token.token_type == TokenType.COMMA:
            count += 1
        if depth >= 1 and count == 0 and token.token_type != TokenType.L_PAREN:
            count = 1
    return -1


def _without_copied_rows(sql: str) -> str:
    """A dump's rows between `copy … from stdin;` and `\\.` are no SQL: blanks in their place."""
    lines, is_data = [], False
    for line in sql.split("\n"):
        if is_data:
            is_data = line.rstrip() != "\\."
            line = " " * len(line)
        elif line.lower().startswith("copy ") and line.lower().rstrip().endswith("from stdin;"):
            is_data = True
        lines.append(line)
    return "\n".join(lines)


def scan_words(text: str, names: Names) -> Iterator[Use]:
    """Names in a text of any language, which a person must judge."""
    offset = 0
    for number, line in enumerate(text.split("\n"), start=1):
        place = 0
        for is_word, letters in groupby(line, key=lambda letter: letter.isalnum() or letter == "_"):
            word = "".join(letters)
            kind = names.kind_of(word) if is_word else ""
            if kind and kind != "dependent":
                yield Use(number, kind, word.lower(), "mention", False, False, offset + place)
            place += len(word)
        offset += len(line) + 1
