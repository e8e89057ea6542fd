"""Find an app's ledger, tasks and balances, and propose how they are read."""

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches

from psycopg2.extensions import cursor as Cursor

from inspect_app import (
    balances,
    by_time,
    catalogue,
    columns,
    implied,
    kinds,
    ledger,
    tasks,
    unite,
    vocabularies,
    words,
)
from inspect_app.catalogue import Column, Table, literal, quoted
from inspect_app.problems import Problem
from inspect_app.proposal import (
    BALANCES,
    HIGH,
    LACKS,
    LEDGER,
    LOW,
    MEDIUM,
    ROLES,
    TASKS,
    Line,
    Mapped,
    Proposal,
    ValueRow,
)
from inspect_app.samples import Sampler, number

NONE = "none"
AS_GOOD = 1.5
CONFIRMED = 0.8
OPTIONS = {LEDGER: "--ledger", TASKS: "--tasks", BALANCES: "--balances"}
DEFAULT_TABLES = {LEDGER: LEDGER, TASKS: TASKS, BALANCES: BALANCES}


@dataclass
class Undecided(Exception):
    """Two tables are as good for one role."""

    role: str
    tables: list[Table]

    @property
    def sentence(self) -> str:
        """The question as a statement, for who cannot be asked."""
        names = " and ".join(table.label for table in self.tables)
        option = OPTIONS[self.role]
        view = ""
        if self.role == TASKS:
            view = ", or unite them by a query under `rows` in the mapping"
        return (
            f"{names} look as much like the {ROLES[self.role]} as each other: say which with"
            f" `{option} {self.tables[0].label}`{view}. Nothing was written."
        )


def propose(
    cursor: Cursor,
    choices: Mapping[str, str] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Proposal:
    """The mapping of the database that a cursor reads.

    Args:
        cursor: in a read-only transaction.
        choices: the table of a role, where the user names it, or `none`.
        progress: told what is looked at.

    Raises:
        Problem: no table was found, or one may not be read.
        Undecided: two tables are as good.
    """
    progress("reading the catalogue")
    found = catalogue.read(cursor)
    sampler = Sampler(cursor, found)
    implied.infer(sampler)
    return _Search(sampler, dict(choices or {}), progress).propose()


@dataclass
class _Search:
    """One search, step by step: each role is told by those found before."""

    sampler: Sampler
    choices: dict[str, str]
    progress: Callable[[str], None]
    united: list[Table] = field(default_factory=list)
    """The tables that hold generations."""
    on_tasks: Mapped | None = None
    """What tasks took, where no ledger has it and balances do not confirm it."""

    def propose(self) -> Proposal:
        """Find the tables, then their columns, then the words in them."""
        sampler = self.sampler
        self.progress("looking for the ledger")
        of_ledger = self._ledger()
        self.progress("looking for the tasks")
        of_tasks, reference = self._tasks(of_ledger)
        if of_ledger.table is None and of_tasks.table is None:
            raise Problem(self._nothing())
        if of_ledger.table is not None and of_tasks.table is not None:
            if len(self.united) > 1:
                unite.refer(sampler, of_ledger, self.united, self._task_columns)
            else:
                ledger.refer(sampler, of_ledger, of_tasks, reference)
                self._match_users(of_ledger, of_tasks)
            self._drop_said_twice(of_ledger, of_tasks)
        elif of_ledger.table is not None:
            ledger.refer_alone(sampler, of_ledger)
        elif of_tasks.table is not None and len(self.united) < 2:
            self._find_owner(of_tasks)
        self.progress("reading kinds and statuses")
        rows, untold, is_signed = ledger.kinds_of(sampler, of_ledger, of_tasks, reference)
        self._link_by_time(of_ledger, of_tasks, rows)
        self.progress("looking for the balances")
        users = self._users(of_ledger, of_tasks)
        on_tasks = self._charges_on_tasks(of_ledger, of_tasks, rows, users, is_signed)
        if on_tasks is not None:
            of_ledger = on_tasks
            rows, untold, is_signed = ledger.kinds_of(sampler, of_ledger, of_tasks, None)
        of_balances = self._balances(of_ledger, users, self._sums(of_ledger, rows, is_signed))
        result = Proposal([of_ledger, of_tasks, of_balances])
        is_default = _is_default(result)
        if rows:
            result.values["transaction_kinds"] = rows
        meanings, unclear = tasks.statuses(sampler, of_tasks, of_ledger)
        if meanings:
            result.values["statuses"] = meanings
        self.progress("reading providers, types and tiers")
        found, more = vocabularies.lists(sampler, result.tables, is_default)
        result.values |= found
        result.untold = [*untold, *unclear, *more, *self._untold(result, reference)]
        return result

    def _ledger(self) -> Mapped:
        table, why, confidence = self._pick(
            LEDGER,
            lambda each, by_name: ledger.score(self.sampler, each, by_name),
            ledger.ENOUGH,
        )
        if table is None:
            return Mapped(LEDGER, None, why, confidence)
        return ledger.propose(self.sampler, table, why, confidence)

    def _tasks(self, of_ledger: Mapped) -> tuple[Mapped, ledger.Reference | None]:
        fits: dict[str, list[ledger.Reference]] = {}

        def score(table: Table, by_name: bool) -> float:
            if table is of_ledger.table:
                return 0.0
            is_named = of_ledger.table is not None and ledger.names(
                self.sampler, of_ledger.table, table
            )
            points = tasks.score(self.sampler, table, by_name, is_named)
            if by_name or of_ledger.table is None or points <= 0:
                return points
            fits[table.label] = ledger.references(self.sampler, of_ledger.table, table)
            best = fits[table.label][0].share if fits[table.label] else 0.0
            return points + 6 * best

        def unite_with(best: Table, others: list[Table]) -> list[Table]:
            if not fits.get(best.label) and not columns.users(best):
                # A part of a job, which has the user, and which the ledger does not name.
                whole = next((each for each in others if self._leads_to(each, best)), None)
                if whole is not None:
                    best, others = whole, [best, *(each for each in others if each is not whole)]
            if of_ledger.table is not None and not fits.get(best.label):
                # Charges name no task: those that another table explains have theirs there.
                others += [
                    each
                    for each in self.sampler.tables
                    if each.is_readable
                    and tasks.may_be(each)
                    and each not in [of_ledger.table, best, *others]
                ]
            self.united = unite.siblings(self.sampler, of_ledger, best, others, self._task_columns)
            return self.united

        def score_by_time(table: Table, by_name: bool) -> float:
            points = score(table, by_name)
            if table is of_ledger.table or not tasks.may_be(table):
                return points
            if by_name:
                return max(points, tasks.ENOUGH - 4)
            names = by_time.charges(self.sampler, of_ledger)
            found = by_time.link(self.sampler, of_ledger, self._task_columns(table), names)
            rows = len(self.sampler.rows(table))
            if found is None or not rows:
                return points
            if found.share < by_time.OWN and found.own < by_time.OWN * rows:
                return points
            if not points and found.own < 0.6 * rows:
                # Most of its rows come of something else.
                return points
            return max(points, 2.0) + 4

        table, why, confidence = self._pick(TASKS, score, tasks.ENOUGH, unite_with)
        if table is None and self.choices.get(TASKS) != NONE:
            # None looks like it; perhaps its rows are written when charges are.
            table, why, confidence = self._pick(TASKS, score_by_time, tasks.ENOUGH, unite_with)
        if table is None:
            return Mapped(TASKS, None, why, confidence), None
        if len(self.united) > 1:
            return unite.united(self.sampler, of_ledger, self.united, self._task_columns), None
        if of_ledger.table is not None and table.label not in fits:
            fits[table.label] = ledger.references(self.sampler, of_ledger.table, table)
        best = next(iter(fits.get(table.label, [])), None)
        if best is None and of_ledger.table is not None:
            best = self._by_key(of_ledger.table, table)
        elif best is not None and best.share < 0.02 and best.asked >= 50:
            best = None
        return tasks.propose(self.sampler, table, why, confidence), best

    def _task_columns(self, table: Table) -> Mapped:
        return tasks.propose(self.sampler, table, "", MEDIUM)

    def _link_by_time(self, of_ledger: Mapped, of_tasks: Mapped, rows: list[ValueRow]) -> None:
        """Where charges name no task, have each find that of its user by time."""
        if of_ledger.table is None or of_tasks.table is None:
            return
        names = [
            row.row["transaction_type"]
            for row in rows
            if row.row["transaction_kind"] == kinds.GENERATION
        ]
        if not names or by_time.named(self.sampler, of_ledger, names) >= 0.5:
            return
        found = by_time.link(self.sampler, of_ledger, of_tasks, names)
        if found is not None and found.share >= by_time.OWN:
            by_time.refer(of_ledger, names, found)

    def _drop_said_twice(self, of_ledger: Mapped, of_tasks: Mapped) -> None:
        """Where tasks say which model was called, a note in the ledger's JSON adds nothing."""
        for name in ("provider", "enhancement_type"):
            line, other = of_ledger.line(name), of_tasks.line(name)
            if line and line.expression and other and other.shown != "null":
                of_ledger.replace(Line(name, None, "the task's is read", MEDIUM))

    def _by_key(self, of_ledger: Table, table: Table) -> ledger.Reference | None:
        """The ledger's foreign key to the tasks, or a column named as theirs, without values."""
        if not self.sampler.is_empty(of_ledger) and not self.sampler.is_empty(table):
            values = 0
        else:
            values = 1
        own = [f"{words.tokens(table.name)[-1]}_id", *words.REFERENCE_COLUMNS[:8]]
        for column in of_ledger.columns.values():
            to = of_ledger.references.get(column.name)
            if to and (to.schema, to.table) == (table.schema, table.name):
                return ledger.Reference(
                    columns.Source(column), None, to.column, 0.0, 0, "its foreign key"
                )
        for column in columns.named(of_ledger, own):
            if values and not self.sampler.values(of_ledger, column.name):
                return ledger.Reference(
                    columns.Source(column), None, table.key or "id", 0.0, 0, "by its name"
                )
        return None

    def _balances(self, of_ledger: Mapped, users: list[str], sums: dict[str, Decimal]) -> Mapped:
        def score(table: Table, by_name: bool) -> float:
            if table is of_ledger.table:
                return 0.0
            return balances.score(self.sampler, table, users, sums, by_name)

        kept: list[Table] = []

        def unite_with(best: Table, others: list[Table]) -> list[Table]:
            kept.extend(balances.siblings(self.sampler, of_ledger, best, others, users))
            return kept

        table, why, confidence = self._pick(BALANCES, score, balances.ENOUGH, unite_with)
        if table is None:
            return Mapped(BALANCES, None, why, confidence)
        return unite.balances(
            [
                balances.propose(self.sampler, each, why, confidence, users, sums)
                for each in kept or [table]
            ]
        )

    def _pick(
        self,
        role: str,
        score: Callable[[Table, bool], float],
        enough: float,
        unite_with: Callable[[Table, list[Table]], list[Table]] = lambda best, _: [best],
    ) -> tuple[Table | None, str, str]:
        """The table of a role, why it, and how sure that is; others may be united with it."""
        chosen = self.choices.get(role)
        if chosen == NONE:
            return None, "you said that there is none", HIGH
        if chosen:
            return self._chosen(chosen), "you named it", HIGH
        by_name = {table.label: score(table, True) for table in self.sampler.tables}
        ranked = sorted(
            (each for each in self.sampler.tables if by_name[each.label] >= enough - 4),
            key=lambda each: -by_name[each.label],
        )
        self._refuse_closed(role, ranked, by_name, enough)
        open_tables = [each for each in ranked if each.is_readable][:8]
        scored = sorted(
            ((score(table, False), table) for table in open_tables),
            key=lambda each: (-each[0], each[1].label),
        )
        good = [(points, table) for points, table in scored if points >= enough]
        if not good:
            return None, f"no table looks like the {ROLES[role]}", MEDIUM
        good = [each for each in good if not self._is_view_of_any(each[1], good)]
        points, best = good[0]
        for other, table in good[1:]:
            if points - other < AS_GOOD and self._leads_to(table, best):
                # Its rows are about those of the other, such as notices of reviews.
                points, best = other, table
        good.sort(key=lambda each: each[1] is not best)
        taken = unite_with(best, [table for _, table in good[1:]])
        best = taken[0]
        rivals = [
            table
            for other, table in good
            if points - other < AS_GOOD
            and table not in taken
            and self.sampler.is_empty(table) == self.sampler.is_empty(best)
            and not self._leads_to(best, table)
        ]
        if rivals:
            raise Undecided(role, [best, *rivals[:2]])
        # Any table may hold further generations; of a ledger or balances only one as likely.
        least = enough if role == TASKS else by_name.get(best.label, enough) - AS_GOOD
        self._refuse_hidden(role, taken, [each for each in ranked if by_name[each.label] >= least])
        second = f", {good[1][1].label} less so" if len(good) > 1 else ""
        kind = "" if best.kind == "table" else f" ({best.kind})"
        why = f"looks like the {ROLES[role]}{kind}, {points:.0f} points{second}"
        return best, why, HIGH if points >= enough + 4 else MEDIUM

    def _refuse_hidden(self, role: str, taken: list[Table], likely: list[Table]) -> None:
        """Stop where this role sees not all rows of a table, which then looks empty."""
        for table in [*taken, *likely]:
            is_part = any(
                self._leads_to(one, table) or self._leads_to(table, one) for one in taken
            ) or any((each.schema, each.name) in table.shows for each in taken)
            if not table.hides_rows or (table not in taken and is_part):
                continue
            option = (
                ""
                if table in taken
                else (
                    f", or name the {ROLES[role]} with `{OPTIONS[role]} {taken[0].label}` where"
                    " this table has no part in it"
                )
            )
            raise Problem(
                f"Row-level security hides rows of {table.label} from this role: run `alter role"
                f" ... bypassrls`, or give it a policy that lets it read all rows{option}. Nothing"
                " was written."
            )

    def _is_view_of_any(self, table: Table, good: list[tuple[float, Table]]) -> bool:
        """Whether a view shows the rows of another table that is as fit."""
        return any((other.schema, other.name) in table.shows for _, other in good)

    def _leads_to(self, best: Table, other: Table) -> bool:
        """Whether the rival is a part of the best, such as the steps of a job."""
        return any(
            (to.schema, to.table) == (best.schema, best.name) for to in other.references.values()
        )

    def _refuse_closed(
        self, role: str, ranked: list[Table], by_name: dict[str, float], enough: float
    ) -> None:
        """Stop where the best table by its name may not be read."""
        likely = [each for each in ranked if by_name[each.label] >= enough - 3]
        if not likely or likely[0].is_readable:
            return
        top = likely[0]
        if any(
            each.is_readable and by_name[each.label] > by_name[top.label] - AS_GOOD
            for each in likely
        ):
            return
        self.sampler.cursor.execute("select quote_ident(current_user)")
        [user] = self.sampler.cursor.fetchone() or ["this role"]
        raise Problem(
            f"Role {user} may not read {top.label}, which looks like the {ROLES[role]}: run `grant"
            f" usage on schema {quoted(top.schema)} to {user}; grant select on {top.sql} to"
            f" {user}`. Nothing was written."
        )

    def _chosen(self, name: str) -> Table:
        for table in self.sampler.tables:
            if name in (table.label, table.sql, table.name):
                if table.is_readable:
                    return table
                raise Problem(f"This role may not read {table.label}: grant select on it first.")
        labels = [table.label for table in self.sampler.tables]
        near = get_close_matches(name, [*labels, *(label.split(".")[-1] for label in labels)])
        meant = f"; did you mean {' or '.join(near)}?" if near else ""
        raise Problem(
            f"There is no table {name}: name it with its schema, as in public.{name}{meant}"
        )

    def _users(self, of_ledger: Mapped, of_tasks: Mapped) -> list[str]:
        for mapped in (of_ledger, of_tasks):
            line = mapped.line("user_id") if mapped.table else None
            if line is None or mapped.table is None or line.shown == "null":
                continue
            read = line.expression or quoted(line.value or "")
            found = self.sampler.ask(
                f"select distinct btrim(cast({read} as text)) from"
                f" (select * from {mapped.table.sql} as app_row limit 20000) as app_row"
                f" where {read} is not null limit 2000",
                mapped.table.label,
            )
            if found:
                return [str(row[0]) for row in found]
        return []

    def _charges_on_tasks(
        self,
        of_ledger: Mapped,
        of_tasks: Mapped,
        rows: list[ValueRow],
        users: list[str],
        is_signed: bool,
    ) -> Mapped | None:
        """The ledger with what tasks say that they took, where no row of it charges for one.

        Balances must confirm it: of all tasks, or of those alone that did not fail. Where nothing
        says what was given, that is what a new balance begins with.
        """
        single = [of_tasks] if of_tasks.table else []
        found = [self._task_columns(each) for each in self.united] or single
        parts = [
            (part, credits)
            for part in (found if len(found) > 1 else single)
            if (credits := tasks.looks_like_credits(self.sampler, part.table))
        ]
        if not parts or _charges(rows) or self.choices.get(LEDGER) == NONE:
            return None
        meanings, _ = tasks.statuses(self.sampler, of_tasks, None)
        words_of = {
            status: [row.row["app_status"] for row in meanings if row.row.get("status") == status]
            for status in tasks.OURS
        }
        failed = words_of["failed"] + words_of["cancelled"]
        of_balances = self._balances(of_ledger, users, {})
        given = balances.default(of_balances) if of_ledger.table is None else Decimal(0)
        paying = self._paying(parts)
        best: tuple[float, Mapped | None] = (0.0, None)
        bought = ledger.purchases(self.sampler) if of_ledger.table is None else ()
        for granted in itertools.chain([of_ledger], bought):
            if best[0] >= CONFIRMED:
                break
            sign = is_signed or granted is not of_ledger
            for free in ([], failed, failed + words_of["pending"] + words_of["processing"]):
                made = unite.with_charges(granted, parts, free, sign)
                assert made.table is not None
                its_kinds, _, signs = ledger.kinds_of(self.sampler, made, of_tasks, None)
                sums = self._sums(made, its_kinds, signs)
                told = {user: given + each for user, each in sums.items() if user in paying}
                share = balances.agreement(self.sampler, of_balances, told)
                if granted.table is None:
                    taken = {user: abs(each) for user, each in sums.items()}
                    share = max(share, balances.used(self.sampler, of_balances, taken))
                best = max(best, (share, made), key=lambda each: each[0])
        if best[0] >= CONFIRMED:
            return best[1]
        self.on_tasks = unite.with_charges(of_ledger, parts, [], is_signed)
        return None

    def _paying(self, parts: list[tuple[Mapped, Column]]) -> set[str]:
        """The users of tasks that say what they took, of a sample."""
        return {
            row[user.value] or ""
            for part, credits in parts
            if part.table and (user := part.line("user_id")) and user.value
            for row in self.sampler.rows(part.table)
            if number(row[credits.name])
        }

    def _sums(self, of_ledger: Mapped, rows: list[ValueRow], is_signed: bool) -> dict[str, Decimal]:
        """What the ledger adds up to for some users."""
        lines = [of_ledger.line(name) for name in ("user_id", "credits_used", "transaction_type")]
        # What was given alone does not make a balance.
        if of_ledger.table is None or not _charges(rows) or any(line is None for line in lines):
            return {}
        user, amount, kind = (
            line.expression or quoted(line.value or "") for line in lines if line is not None
        )
        if "null" in [line.shown for line in lines if line is not None]:
            return {}
        value = f"cast({amount} as numeric)"
        if not is_signed:
            down = [
                row.row["transaction_type"]
                for row in rows
                if row.row["transaction_kind"] in (kinds.GENERATION, kinds.OTHER, kinds.HELD)
            ]
            listed = ", ".join(literal(word) for word in down) or "null"
            word = f'lower(btrim(cast({kind} as text)) collate "C")'
            value = f"case when {word} in ({listed}) then -abs({value}) else abs({value}) end"
        status = of_ledger.line("status")
        where = ""
        if status is not None and status.value:
            dead = ", ".join(literal(word) for word in sorted(words.NO_EFFECT))
            where = (
                f' where lower(cast({quoted(status.value)} as text) collate "C") not in ({dead})'
            )
            where += f" or {quoted(status.value)} is null"
        found = self.sampler.ask(
            f"select btrim(cast({user} as text)), sum({value})"
            f" from {of_ledger.table.sql} as app_row{where} group by 1 limit 50000",
            of_ledger.table.label,
        )
        return {
            str(row[0]): Decimal(row[1]) for row in found or [] if row[0] and row[1] is not None
        }

    def _find_owner(self, of_tasks: Mapped) -> None:
        """Without a ledger, of the member and the team of a task take the one with a balance."""
        line, table = of_tasks.line("user_id"), of_tasks.table
        if table is None or line is None or not line.value:
            return
        paying = [
            each for each in columns.users(table) if ledger.has_balance(self.sampler, table, each)
        ]
        if paying and line.value not in [each.name for each in paying]:
            told = f"named {paying[0].name}, of which there are balances"
            of_tasks.replace(Line("user_id", paying[0].name, told, MEDIUM))

    def _match_users(self, of_ledger: Mapped, of_tasks: Mapped) -> None:
        """Where tasks have several columns of users, take the one that holds the ledger's."""
        users = set(self._users(of_ledger, of_ledger))
        table = of_tasks.table
        if table is None or not users:
            return
        ranked = []
        for column in columns.named(table, words.USER_COLUMNS, lambda each: not each.is_json):
            values = set(self.sampler.values(table, column.name))
            if values and column.name != table.key:
                ranked.append((len(values & users) / len(values), column.name))
        line, own = of_tasks.line("user_id"), of_ledger.line("user_id")
        # Where numbers of members may be those of accounts, the name decides.
        named = own.value if own else None
        best = max(ranked, key=lambda each: (each[0], each[1] == named), default=(0.0, ""))
        if line is None or not best[0] or line.value == best[1]:
            return
        mine = next((share for share, name in ranked if name == line.value), 0.0)
        if best[0] > mine + 0.2 or best[1] == named:
            told = f"{best[1]} holds the users of the ledger"
            of_tasks.replace(Line("user_id", best[1], told, MEDIUM))

    def _nothing(self) -> str:
        self.sampler.cursor.execute("select current_database(), quote_ident(current_user)")
        name, user = self.sampler.cursor.fetchone() or ("", "")
        seen = sum(table.is_readable for table in self.sampler.tables)
        return (
            f"No table of database {name} looks like a ledger of credits or like generations"
            f" (role {user} may read {seen} of {len(self.sampler.tables)} tables): name them with"
            " --ledger and --tasks, or connect to the app's database. Nothing was written."
        )

    def _untold(self, result: Proposal, reference: ledger.Reference | None) -> list[str]:
        """What could not be told, and what happens then."""
        said = []
        for mapped in result.tables:
            if mapped.table is None:
                said.append(f"No {ROLES[mapped.role]} ({mapped.reason}): {LACKS[mapped.role]}.")
            elif self.sampler.is_empty(mapped.table):
                said.append(
                    f"{mapped.table.label} is empty: its columns are told by their names alone."
                )
        of_ledger, of_tasks = result.table(LEDGER), result.table(TASKS)
        refers = of_ledger.line("api_request_id")
        if of_ledger.table and of_tasks.table and refers and refers.shown == "null":
            said.append(
                "No column of the ledger names a task: charges without one are matched to no task,"
                " and each counts as a generation beside it; name the column under api_request_id."
            )
        elif reference is not None and reference.asked >= 5 and reference.share < 0.5:
            said.append(
                f"Only {reference.share:.0%} of the ids in {reference.source.label} are tasks'"
                " (others may name payments, or tasks that were deleted)."
            )
        providers = result.values.get("providers", [])
        named = providers[0].row["provider"] if providers else "unknown"
        costs = [each.line("cost_usd") for each in (of_ledger, of_tasks) if each.table]
        if all(line is None or line.shown == "null" for line in costs):
            said.append(
                "No column says what the vendor charges: vendor costs are not known. Write a row"
                f" for each provider under provider_prices, such as {{provider: {named},"
                " valid_from: 2024-01-31, price_usd: 0.04, credits: 1}, and `vendor_cost_basis:"
                " list` under vars of dbt_project.yml."
            )
        if self.on_tasks is not None and self.on_tasks.table is not None:
            query = " ".join(self.on_tasks.table.query.split())
            said.append(
                f"Tasks say {self.on_tasks.reason.partition(': ')[2]}, no row of a ledger charges"
                " for one, and balances do not confirm it: credits used are 0. If users pay that,"
                f" write under meta of {LEDGER}, in the place of what is there, {{rows:"
                f" {json.dumps(query)}}}, and under transaction_kinds"
                f" {{transaction_type: {unite.CHARGED}, transaction_kind: {kinds.GENERATION}}}."
            )
        for mapped in result.tables:
            for ours, consequence in (
                ("user_id", "users are not counted"),
                ("created_at", "no row can be read: write how to read it"),
                ("current_balance", "no balance is read"),
            ):
                line = mapped.line(ours)
                if mapped.table and line and line.shown == "null":
                    said.append(f"{mapped.table.label}: {line.reason}, so {consequence}.")
                elif mapped.table and line and line.confidence == LOW and ours == "created_at":
                    said.append(f"{mapped.table.label}.{line.value}: {line.reason}.")
        for label in dict.fromkeys(self.sampler.tired):
            said.append(f"{label} takes more than 30 seconds to read: only a part was looked at.")
        return said


def _charges(rows: list[ValueRow]) -> bool:
    """Whether rows of some kind take credits."""
    taking = (kinds.GENERATION, kinds.OTHER, kinds.HELD)
    return any(row.row["transaction_kind"] in taking for row in rows)


def _is_default(result: Proposal) -> bool:
    """Whether the app's tables and columns are called as ours are."""
    for mapped in result.tables:
        if mapped.table is None or mapped.table.name != DEFAULT_TABLES[mapped.role]:
            return False
        if any(line.expression or line.value not in (None, line.column) for line in mapped.lines):
            return False
    return True
