"""The task table: which one it is, and which of its columns are ours."""

import re
from collections.abc import Iterator
from decimal import Decimal

from inspect_app import columns, words
from inspect_app.catalogue import INTEGERS, Column, Table, quoted
from inspect_app.columns import Source
from inspect_app.proposal import HIGH, LOW, MEDIUM, TASKS, Line, Mapped, ValueRow
from inspect_app.samples import Sampler, is_word, json_object, number

ENOUGH = 6.0
OUTPUTS = {"output", "result", "url", "image", "video", "audio", "path", "file", "asset"}
MADE = {"output", "result", "final"}
NOT_MADE = {
    *("original", "source", "input", "reference", "thumbnail", "uploaded", "created", "updated"),
    *("deleted", "failed", "shared", "exported", "used", "mask", "logo", "webhook", "callback"),
}
VENDORS_ID = ["~(.*_)?(prediction|request|job|task|run|inference|generation|operation)_id"]
NO_OUTPUT = {
    *("payment", "order", "invoice", "plan", "subscription", "package", "recharge", "coupon"),
    *("checkout", "purchase", "topup", "deposit", "refund", "payout", "webhook", "transaction"),
    *("gift", "card", "voucher", "promo", "billing", "referral"),
}
# Words in the names of tables that hold no calls of a model.
NO_CALLS = words.ACCOUNT | words.CREDIT | NO_OUTPUT
OURS = ("pending", "processing", "completed", "failed", "cancelled")
ALL_COMPLETED = "'completed'"
# Tokens of a language model, which are no credits.
OF_TEXT = {"input", "output", "prompt", "completion", "llm", "total"}
INPUTS = {"prompt", "input", "params", "parameter", "payload"}


def score(
    sampler: Sampler, table: Table, by_catalogue: bool = False, is_named: bool = False
) -> float:
    """How much a table looks like one of generations.

    `by_catalogue` looks at no values; `is_named`: a column of the ledger is named for it.
    """
    name = words.tokens(table.name)
    parts = set(name)
    points = 4.0 if parts & words.TASK else 2.0 if parts & words.OUTPUT else 0.0
    points += 1 if parts & {"ai", "generated", "enhanced"} else 0
    if not points and not parts & (words.ACCOUNT | words.CREDIT) and _is_job(sampler, table):
        points = 3.0
    points -= 4.0 * len(parts & words.NO_TASK - words.TASK - words.OUTPUT)
    is_call = columns.named(table, words.PROVIDER_COLUMNS) and columns.named(
        table, [*words.STATUS_COLUMNS, *words.STATUS_FLAGS]
    )
    if is_named and not parts & (words.ACCOUNT | NO_OUTPUT if is_call else NO_CALLS):
        points = max(points, 3.0)
    points -= 2 if table.kind in ("view", "materialized view") else 0
    if not points > 0:
        return 0.0
    if not (table.key or columns.named(table, words.ID_COLUMNS)):
        return 0.0
    if not columns.created(table):
        return 0.0
    status = columns.named(table, words.STATUS_COLUMNS)
    points += 2 if status else 0
    points += 1 if columns.users(table) or _user_through(sampler, table) else -1
    points += 1 if columns.named(table, words.PROVIDER_COLUMNS) else 0
    points += 1 if columns.named(table, words.ERROR_COLUMNS) else 0
    points += 1 if columns.named(table, words.COMPLETED_COLUMNS) else 0
    found: set[str] = {part for column in table.columns for part in words.tokens(column)}
    points += 1 if found & OUTPUTS else 0
    points += 1 if found & INPUTS else 0
    points += 1 if found & words.CREDIT else 0
    if by_catalogue or not status or sampler.is_empty(table):
        return points
    if any(status_of(value) for value in sampler.words(table, quoted(status[0].name)) or ()):
        points += 2
    return points


def may_be(table: Table) -> bool:
    """Whether rows of a table, whatever it is called, are a user's and have a time."""
    parts = set(words.tokens(table.name))
    found = {part for column in table.columns for part in words.tokens(column)}
    # A log of calls has what went in and what came out.
    is_log = parts & words.LEDGER and not (found & INPUTS and found & OUTPUTS)
    return bool(
        not (parts & NO_CALLS or is_log)
        and table.kind == "table"
        and (table.key or columns.named(table, words.ID_COLUMNS))
        and columns.users(table)
        and columns.created(table)
    )


def _is_job(sampler: Sampler, table: Table) -> bool:
    """Whether a table has what a call of a model has, whatever it is called."""
    found = {part for column in table.columns for part in words.tokens(column)}
    told = (
        columns.named(table, words.STATUS_COLUMNS),
        columns.named(table, words.ERROR_COLUMNS),
        columns.named(table, words.PROVIDER_COLUMNS),
        columns.named(table, VENDORS_ID, lambda each: each.name not in table.references),
        found & {"prompt", *words.CREDIT},
        found & (OUTPUTS | words.OUTPUT),
    )
    return bool(columns.users(table) or _user_through(sampler, table)) and sum(map(bool, told)) > 2


def propose(sampler: Sampler, table: Table, reason: str, confidence: str) -> Mapped:
    """The task table's columns."""
    mapped = Mapped(TASKS, table, reason, confidence)
    key = table.key or next(iter(columns.named(table, words.ID_COLUMNS))).name
    told = "its key" if table.key else "named so, without a unique key"
    mapped.lines.append(Line("id", key, told, HIGH if table.key else MEDIUM))
    users = [column for column in columns.users(table) if column.name != key]
    through = None
    if not users or words.best_rank(users[0].name, words.USER_COLUMNS) is None:
        through = _user_through(sampler, table)
    if through is None and users:
        through = Line("user_id", users[0].name, f"named {users[0].name}")
    mapped.lines.append(
        through or Line("user_id", None, "no column that names a user was found", LOW)
    )
    taken = {key}
    provider = _provider(sampler, table, taken)
    if provider.shown == "null":
        provider = _provider_of_parent(sampler, table) or provider
    taken |= {provider.value or ""}
    status = _status(sampler, table)
    taken |= {status.value or ""}
    kind = columns.word_line(
        sampler, table, "enhancement_type", words.TYPE_COLUMNS, taken, "tasks have no type"
    )
    error = _error(sampler, table)
    if status.confidence == LOW:
        status, error = _status_of_child(sampler, table, key, error) or (status, error)
    if not status.value and status.expression == ALL_COMPLETED:
        status = _status_of_parent(sampler, table) or status
    cost = columns.money_line(sampler, table)
    if cost.shown == "null":
        cost = _cost_of_steps(sampler, table, key) or cost
    mapped.lines += [provider, status, error, cost]
    mapped.lines += [kind, *_times(sampler, table)]
    duration = _duration(sampler, table, mapped)
    if duration is not None:
        mapped.lines.append(duration)
    return mapped


def _user_through(sampler: Sampler, table: Table) -> Line | None:
    """The user of the project, session or request to which a task belongs."""
    for name, reference in table.references.items():
        other = sampler.table_of(reference)
        owner = columns.named(other, words.USER_COLUMNS) if other else []
        if other and owner and name in table.columns:
            read = (
                f"(select named.{quoted(owner[0].name)} from {other.sql} as named"
                f" where named.{quoted(reference.column)} = app_row.{quoted(name)})"
            )
            reason = f"{name} leads to {other.label}, whose {owner[0].name} is the user"
            return Line("user_id", None, reason, MEDIUM, read)
    return None


def _provider(sampler: Sampler, table: Table, taken: set[str]) -> Line:
    lacking = "tasks do not say which model was called"
    line = columns.word_line(sampler, table, "provider", words.PROVIDER_COLUMNS, taken, lacking)
    if line.value is None:
        return line
    found = sampler.words(table, quoted(line.value))
    if not found or not all(_is_host(word) for word in found):
        return line
    # Who runs the model; the model is another column.
    other = columns.word_line(
        sampler, table, "provider", words.PROVIDER_COLUMNS, taken | {line.value}, lacking
    )
    if other.shown == "null":
        return line
    reason = f"{other.reason}; {line.value} holds who runs the models"
    return Line("provider", other.value, reason, MEDIUM, other.expression)


def _is_host(word: str) -> bool:
    found = word.strip().lower()
    return found in words.HOSTS or re.split("[-_/:]", found)[0] in words.HOSTS


def _status(sampler: Sampler, table: Table) -> Line:
    for column in columns.named(table, words.STATUS_COLUMNS):
        is_short = column.is_text or column.type in INTEGERS
        if is_short and (
            sampler.is_empty(table) or columns.is_vocabulary(sampler, table, Source(column))
        ):
            return Line("status", column.name, f"named {column.name}")
    for column in columns.named(table, words.STATUS_FLAGS):
        if column.type == "boolean":
            name = quoted(column.name)
            read = (
                f"case when {name} then 'completed' when not {name} then 'failed'"
                " else 'processing' end"
            )
            return Line("status", None, f"{column.name} says whether it succeeded", MEDIUM, read)
    return _status_by_outcome(sampler, table)


def _status_of_child(
    sampler: Sampler, table: Table, key: str, error: Line
) -> tuple[Line, Line] | None:
    """The status, and the error, of the newest row that another table has of a task."""
    for child, name in _children(sampler, table, key):
        status = _status(sampler, child)
        if not status.value:
            continue
        newest = columns.named(
            child, [*words.UPDATED_COLUMNS, *words.CREATED_COLUMNS], columns.is_time_like
        )
        order = f" order by named.{quoted(newest[0].name)} desc nulls last" if newest else ""
        once = child.is_unique(name)
        rest = f" from {child.sql} as named where named.{quoted(name)} = app_row.{quoted(key)}" + (
            "" if once else f"{order} limit 1"
        )
        reason = f"{status.value} of {child.label}" + ("" if once else ", its newest row")
        held = f"named.{quoted(status.value)}"
        held = f"cast({held} as text)" if child.columns[status.value].labels else held
        line = Line("status", None, reason, MEDIUM, f"(select {held}{rest})")
        its_error = _error(sampler, child)
        if error.shown == "null" and its_error.value:
            read = f"(select named.{quoted(its_error.value)}{rest})"
            reason = f"{its_error.value} of {child.label}"
            error = Line("error_message", None, reason, MEDIUM, read)
        return line, error
    return None


def _cost_of_steps(sampler: Sampler, table: Table, key: str) -> Line | None:
    """What the steps of a task cost together, where another table has them."""
    for child, name in _children(sampler, table, key):
        cost = columns.money_line(sampler, child)
        if cost.shown == "null":
            continue
        read = cost.expression or f"named.{quoted(cost.value or '')}"
        slow = "" if name in child.indexed else f"; {child.label}.{name} should have an index"
        return Line(
            "cost_usd",
            None,
            f"the sum of {child.label}: {cost.reason}{slow}",
            MEDIUM,
            f"(select sum({read}) from {child.sql} as named"
            f" where named.{quoted(name)} = app_row.{quoted(key)})",
        )
    return None


def _children(sampler: Sampler, table: Table, key: str) -> Iterator[tuple[Table, str]]:
    """The tables whose rows are parts of a task, and the column that leads to it."""
    for child in sampler.tables:
        parts = set(words.tokens(child.name))
        if not child.is_readable or parts & (words.CREDIT | NO_OUTPUT):
            continue
        for name, to in child.references.items():
            if (to.schema, to.table, to.column) == (table.schema, table.name, key):
                yield child, name


def _status_of_parent(sampler: Sampler, table: Table) -> Line | None:
    """The status of the project or request to which a task belongs."""
    for name, reference in table.references.items():
        parent = sampler.table_of(reference)
        if parent is None or not columns.users(parent):
            continue
        status = _status(sampler, parent)
        found = sampler.words(parent, quoted(status.value)) if status.value else None
        if not found or not any(status_of(word) for word in found):
            continue
        held = f"named.{quoted(status.value or '')}"
        held = f"cast({held} as text)" if parent.columns[status.value or ""].labels else held
        read = (
            f"(select {held} from {parent.sql} as named"
            f" where named.{quoted(reference.column)} = app_row.{quoted(name)})"
        )
        reason = f"{status.value} of {parent.label}, to which it belongs"
        return Line("status", None, reason, LOW, read)
    return None


def _provider_of_parent(sampler: Sampler, table: Table) -> Line | None:
    """The model of the project or request to which a task belongs, and whose user is the task's."""
    if columns.users(table):
        return None
    for name, reference in table.references.items():
        parent = sampler.table_of(reference)
        line = _provider(sampler, parent, set()) if parent and columns.users(parent) else None
        if parent is None or line is None or not line.value:
            continue
        held = f"named.{quoted(line.value)}"
        held = f"cast({held} as text)" if parent.columns[line.value].labels else held
        read = (
            f"(select {held} from {parent.sql} as named"
            f" where named.{quoted(reference.column)} = app_row.{quoted(name)})"
        )
        return Line("provider", None, f"{line.value} of {parent.label}", MEDIUM, read)
    return None


def _status_by_outcome(sampler: Sampler, table: Table) -> Line:
    """A status where no column has it: by the error, the output and the end."""
    error = next(iter(columns.named(table, words.ERROR_COLUMNS)), None)
    ended, failed = (
        next(iter(columns.named(table, names, columns.is_time_like)), None)
        for names in (words.COMPLETED_COLUMNS, words.FAILED_COLUMNS)
    )
    outputs = [each for each in table.columns.values() if _is_output(each)]
    outputs += [
        each
        for each in table.columns.values()
        if _is_place(each) and 0 < len(sampler.values(table, each.name)) < len(sampler.rows(table))
    ]
    output = next(iter(outputs), None)
    parts = [
        f"when {quoted(column.name)} is not null then '{status}'"
        for column, status in (
            (failed, "failed"),
            (error, "failed"),
            (ended, "completed"),
            (output, "completed"),
        )
        if column is not None
    ]
    names = [each.name for each in (failed, error, ended, output) if each is not None]
    if not parts:
        reason = "tasks have no status: each counts as completed"
        return Line("status", None, reason, LOW, ALL_COMPLETED)
    read = f"case {' '.join(dict.fromkeys(parts))} else 'processing' end"
    return Line("status", None, f"no status: told by {', '.join(names)}", LOW, read)


def _is_output(column: Column) -> bool:
    """Whether a column has what came out by its name, such as `output` and `restored_url`."""
    parts = words.tokens(column.name)
    if len(parts) == 1:
        return parts[0] in MADE
    is_made = any(part in MADE or part.endswith("ed") for part in parts)
    return is_made and _is_place(column)


def _is_place(column: Column) -> bool:
    """Whether a column has the address of a file which nobody uploaded."""
    parts = set(words.tokens(column.name))
    is_text = column.is_text or column.is_json or column.type.endswith("[]")
    return is_text and bool(parts & (OUTPUTS - MADE)) and not parts & NOT_MADE


def _error(sampler: Sampler, table: Table) -> Line:
    for column in columns.named(table, words.ERROR_COLUMNS):
        if column.is_text:
            return Line("error_message", column.name, f"named {column.name}")
        if column.is_json:
            name = quoted(column.name)
            found = [json_object(each) for each in sampler.values(table, column.name)]
            for key in ("message", "detail", "error", "reason"):
                if any(isinstance(each.get(key), str) for each in found):
                    read = f"coalesce({name} ->> '{key}', {name} #>> '{{}}')"
                    reason = f"the {key} in {column.name}"
                    return Line("error_message", None, reason, HIGH, read)
            return Line("error_message", column.name, f"named {column.name}, JSON")
    for source in columns.named_keys(sampler, table, words.ERROR_COLUMNS):
        return source.line("error_message", source.label, MEDIUM)
    return Line("error_message", None, "no column of errors was found", MEDIUM)


def _times(sampler: Sampler, table: Table) -> list[Line]:
    lines: list[Line] = []
    created: Line | None = None
    for ours, synonyms in (
        ("created_at", words.CREATED_COLUMNS),
        ("completed_at", words.COMPLETED_COLUMNS),
        ("failed_at", words.FAILED_COLUMNS),
        ("updated_at", words.UPDATED_COLUMNS),
    ):
        found = columns.named(table, synonyms, columns.is_time_like)
        line = None
        for column in columns.created(table) if ours == "created_at" else found:
            line = columns.time_line(sampler, table, column, ours, f"named {column.name}")
            if line is not None:
                break
        if line is not None and created is not None:
            line = _checked(sampler, table, created, line)
        if line is None:
            line = Line(ours, None, "no column of such a time was found", MEDIUM)
        created = line if ours == "created_at" else created
        lines.append(line)
    return lines


def _checked(sampler: Sampler, table: Table, created: Line, line: Line) -> Line | None:
    """The line of an end, unless most ends lie before their starts."""
    if created.shown == "null":
        return line
    start = created.expression or quoted(created.value or "")
    end = line.expression or quoted(line.value or "")
    found = sampler.ask(
        f"select count({end}), count(*) filter (where {end} < {start})"
        f" from (select * from {table.sql} as app_row limit 5000) as app_row",
        table.label,
    )
    ended, before = found[0] if found else (0, 0)
    if ended and before / ended > 0.2:
        return None
    if ended and line.column != "updated_at":
        return Line(
            line.column,
            line.value,
            f"{line.reason}; not before the start",
            line.confidence,
            line.expression,
        )
    return line


def _duration(sampler: Sampler, table: Table, mapped: Mapped) -> Line | None:
    for column in columns.named(table, words.DURATION_COLUMNS):
        parts = set(words.tokens(column.name))
        name = quoted(column.name)
        if column.type == "interval":
            read = f"extract(epoch from {name}) * 1000"
            return Line("processing_time_ms", None, f"named {column.name}", HIGH, read)
        if not column.is_number:
            continue
        is_work = bool(parts & {"processing", "generation", "execution", "inference", "predict"})
        is_work |= bool(parts & {"latency", "elapsed", "taken", "run", "runtime", "compute"})
        in_ms = "ms" in parts or "millisecond" in parts
        if not is_work and not in_ms and not _is_elapsed(sampler, table, mapped, column):
            continue
        if in_ms:
            return Line("processing_time_ms", column.name, f"named {column.name}")
        values = sampler.numbers(table, column.name)
        if not parts & {"second", "sec"} and values and min(values) >= Decimal(1000):
            reason = f"named {column.name}; milliseconds by their size"
            return Line("processing_time_ms", column.name, reason, MEDIUM)
        told = "seconds" if parts & {"second", "sec"} else "seconds by their size"
        read = f"{name} * 1000"
        return Line("processing_time_ms", None, f"named {column.name}; {told}", MEDIUM, read)
    if columns.named(table, ["processing_time_ms"]):
        return Line("processing_time_ms", None, "its values say nothing of a duration", LOW)
    return None


def _is_elapsed(sampler: Sampler, table: Table, mapped: Mapped, column: Column) -> bool:
    """Whether a duration is that of the work, and not of the video that came out."""
    start, end = mapped.line("created_at"), mapped.line("completed_at")
    if start is None or end is None or "null" in (start.shown, end.shown):
        return False
    first = start.expression or quoted(start.value or "")
    last = end.expression or quoted(end.value or "")
    found = sampler.ask(
        f"select count(*), count(*) filter (where abs(extract(epoch from {last} - {first})"
        f" - {quoted(column.name)}) <= 0.25 * {quoted(column.name)} + 1)"
        f" from (select * from {table.sql} as app_row limit 5000) as app_row"
        f" where {last} is not null and {quoted(column.name)} is not null",
        table.label,
    )
    asked, near = found[0] if found else (0, 0)
    return bool(asked) and near / asked >= 0.7


def status_of(value: str) -> str | None:
    """Which of our statuses a word is."""
    simple = words.plain(value)
    parts = simple.split("_")
    if words.TRIED & set(parts):
        return None
    for status, known in (
        ("completed", words.COMPLETED),
        ("failed", words.FAILED),
        ("cancelled", words.CANCELLED),
        ("processing", words.PROCESSING),
        ("pending", words.PENDING),
    ):
        if simple in known or simple.replace("_", "") in known:
            return status
    if "not" in parts or "un" in parts:
        return "pending" if {"started", "start"} & set(parts) else None
    if {"partially", "partial", "with"} & set(parts) and "completed" in parts:
        return "completed"
    for status, known in (
        ("failed", words.FAILED),
        ("cancelled", words.CANCELLED),
        ("pending", words.PENDING),
        ("processing", words.PROCESSING),
        ("completed", words.COMPLETED),
    ):
        if set(parts) & known:
            return status
    # What goes on is a phase of the work.
    return "processing" if len(parts[0]) > 5 and parts[0].endswith("ing") else None


def statuses(
    sampler: Sampler, tasks: Mapped | None, ledger: Mapped | None
) -> tuple[list[ValueRow], list[str]]:
    """What the words of both tables' statuses mean, and which of them do not say."""
    of_tasks = _status_words(sampler, tasks)
    of_ledger = _status_words(sampler, ledger)
    rows, untold = [], []
    for word in dict.fromkeys([*of_tasks, *of_ledger]):
        status, reason, confidence = status_of(word), "by its name", HIGH
        if status is None and word in of_tasks and tasks is not None:
            status, reason, confidence = _by_outcome(sampler, tasks, word)
        row: dict[str, str] = {"app_status": word.lower()}
        if status is not None:
            row["status"] = status
        simple = words.plain(word)
        if word in of_ledger:
            if simple in words.HELD:
                row["ledger_effect"] = "hold"
            elif simple in words.NO_EFFECT:
                row["ledger_effect"] = "none"
            is_of_ledger_only = word not in of_tasks and simple not in ("cancelled", "canceled")
            if "ledger_effect" in row and is_of_ledger_only:
                row.pop("status", None)
        if len(row) == 1:
            untold.append(
                f"Status {word} says nothing that is known: it is kept as it is and counted as"
                " neither completed nor failed; write what it means under statuses."
            )
            continue
        rows.append(ValueRow(dict(row), reason, confidence))
    found: dict[str, ValueRow] = {}
    for each in rows:
        found.setdefault(str(each.row["app_status"]), each)
    return list(found.values()), untold


def _status_words(sampler: Sampler, mapped: Mapped | None) -> list[str]:
    line = mapped.line("status") if mapped and mapped.table else None
    if line is None or mapped is None or mapped.table is None:
        return []
    if line.expression:
        read = sampler.words(mapped.table, line.expression) or ()
        return [word for word in read if word not in OURS]
    if not line.value:
        return []
    column = mapped.table.columns[line.value]
    found = list(sampler.words(mapped.table, quoted(line.value)) or ())
    return [*found, *(label for label in column.labels if label not in found and is_word(label))]


def _by_outcome(sampler: Sampler, tasks: Mapped, word: str) -> tuple[str | None, str, str]:
    """What tasks of an unknown status have: an error, an end or an output."""
    line, table = tasks.line("status"), tasks.table
    if line is None or table is None or not line.value:
        return None, "", LOW
    rows = [row for row in sampler.rows(table) if (row[line.value] or "").strip() == word]
    error, ended = tasks.line("error_message"), tasks.line("completed_at")
    outputs = [each.name for each in table.columns.values() if _is_output(each)]

    def share(names: list[str]) -> float:
        return sum(any(row[name] for name in names) for row in rows) / len(rows) if rows else 0

    if error and error.value and share([error.value]) > 0.5:
        return "failed", f"most of its tasks have an {error.value}", MEDIUM
    if outputs and share(outputs) > 0.5:
        return "completed", f"most of its tasks have {outputs[0]}", MEDIUM
    if ended and ended.value and share([ended.value]) > 0.5:
        return "completed", f"most of its tasks have {ended.value}", LOW
    return None, "", LOW


def looks_like_credits(sampler: Sampler, table: Table | None) -> Column | None:
    """A column in which tasks say what they took in credits."""
    if table is None:
        return None
    found = [
        *columns.named(table, words.AMOUNT_COLUMNS, lambda each: each.is_number),
        *(each for each in table.columns.values() if each.is_number and words.is_move(each.name)),
    ]
    for column in found:
        parts = set(words.tokens(column.name))
        if (
            parts & words.CREDIT
            and not parts & OF_TEXT
            and any(number(each) for each in sampler.values(table, column.name))
        ):
            return column
    return None
