"""What the app's texts hold of people reaches no relation of ours, no log and no file."""

import base64
import os
import re
import string
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from local_postgres.server import Server
from tests.app_database import PROJECT, AppDatabase, profiles_directory
from tests.conftest import make_database
from tests.oracle import seeds
from tests.oracle.texts import shown_id, shown_message, shown_name, without_accents
from tests.security.planted import LIKE_A_NAME, LIKE_AN_ID, MODELS, MORE, PLANTED, SENTENCES
from tests.table_shapes import loosen, replace_table

VALUES = [value for values in PLANTED.values() for value in values]
NOON = "2024-05-01T12:00:00Z"

# As they are: what an administrator reads the messages for.
KEPT = [
    "timeout",
    "Rate limit exceeded (429)",
    "HTTP 429: Too Many Requests",
    "HTTP 503: upstream unavailable",
    '{"code": 429, "message": "Too many requests"}',
    '{"error":{"code":500,"message":"Internal Server Error"}}',
    "NSFW content detected",
    "connection reset by peer",
    "[Errno 111] Connection refused",
    "ECONNRESET: socket hang up",
    "insufficient credits",
    "Insufficient credits in enhancement service",
    "Content policy violation: prompt rejected",
    "Invalid image format: expected JPEG",
    "Image too large: 5000x4000 exceeds the maximum size",
    "File size exceeds 10MB limit",
    "timeout after 90s waiting for prediction",
    "model is loading, retry after 30 seconds",
    "The model is currently overloaded, please try again later.",
    "RateLimitError: You exceeded your current quota, please check your plan and billing details.",
    "Read timed out. (read timeout=30)",
    "SSL: CERTIFICATE_VERIFY_FAILED",
    "rate_limit_exceeded",
    "CUDA out of memory",
    "quota exceeded",
    "vendor timeout",
    "Unknown error",
    "délai dépassé",
    "Échec de la connexion au serveur",
    "crédits insuffisants",
    "Zeitüberschreitung bei der Anfrage",
    "Ungültiges Bildformat",
    "Tiempo de espera agotado",
    "Límite de solicitudes excedido",
    "connessione rifiutata dal server",
    "tempo limite esgotado",
]
REDUCED = {
    "ECONNRESET fetch failed https://cdn.example/95d8235d.png": "ECONNRESET fetch failed <url>",
    "HTTP 503: upstream unavailable (req 4e21a855)": "HTTP 503: upstream unavailable (<text>)",
    "card 4111 1111 1111 1111 declined": "card <number> declined",
    "a cat on a beach": "<text>",
    "prompt: timeout": "prompt: <text>",
    "no such user: ann@mail.example": "no such user: <email>",
}
NAMES = [
    *("gpt-image-1", "flux-1.1-pro", "google/nano-banana:2.5", "fal_ai", "stable diffusion xl"),
    *("wan2.1-t2v-720p", "bytedance/seedream-v4/edit", "claude-3-5-sonnet-20241022", "302.ai"),
    *(
        "doubao-seedream-4-0-250828",
        "gpt-4o-2024-08-06",
        "fal.ai",
        "快手",
        "générateur",
        "4k_upscale",
    ),
]
IDS = [
    *("req_abc123", "clh3am5yk0000qj1f8b9g2k7p", "user_2abCdEfGhIjKlMnOp", "12345678", "job-a"),
    *(
        "auth0|5f7c8ec7c33c6c004bbafe82",
        "6f1c2d3e-4b5a-6978-8796-a5b4c3d2e1f0",
        "V1StGXR8_Z5jdHi6B-myT",
    ),
]


def planted_tasks() -> list[dict]:
    """A failed task for each value and each column that can hold it."""
    rows = []

    def plant(**changes: str) -> None:
        rows.append(
            {
                "id": f"task-{len(rows)}",
                "user_id": f"user-{len(rows)}",
                "provider": "wan",
                "status": "failed",
                "enhancement_type": "style",
                "created_at": NOON,
                **changes,
            }
        )

    for number, value in enumerate(VALUES):
        for sentence in SENTENCES:
            plant(error_message=sentence.format(value))
        if value not in LIKE_A_NAME:
            for column in ("provider", "enhancement_type", "status"):
                plant(**{column: value})
        if value not in LIKE_AN_ID:
            plant(id=value)
            plant(user_id=value, error_message=f"{value} {VALUES[number - 1]}")
    return rows


def planted_ledger() -> list[dict]:
    """A charge, a refund or an unknown row for each value and each column that can hold it."""
    rows = []

    def plant(**changes: str) -> None:
        rows.append(
            {
                "id": f"row-{len(rows)}",
                "user_id": f"user-{len(rows)}",
                "transaction_type": ("deduction", "refund")[len(rows) % 2],
                "credits_used": 2,
                "provider": "wan",
                "enhancement_type": "style",
                "status": "completed",
                "error_message": VALUES[len(rows) % len(VALUES)],
                "created_at": NOON,
                **changes,
            }
        )

    for value in VALUES:
        if value not in LIKE_A_NAME:
            for column in ("transaction_type", "provider", "enhancement_type", "status"):
                plant(**{column: value})
        if value not in LIKE_AN_ID:
            for column in ("id", "user_id", "api_request_id"):
                plant(**{column: value})
    return rows


def plant_everything(database: AppDatabase) -> None:
    """Put every value into every text of the app's tables that may hold it."""
    loosen(database)
    replace_table(
        database,
        "system_alerts",
        "id text, type text, level text, message text, created_at timestamptz",
    )
    database.insert("enhancement_tasks", *planted_tasks())
    database.insert("credit_transactions", *planted_ledger())
    database.insert(
        "user_credits",
        *(
            {"user_id": f"user-{number}", "current_balance": 5, "subscription_tier": value}
            for number, value in enumerate(VALUES)
            if value not in LIKE_A_NAME
        ),
        *({"user_id": value, "current_balance": 5} for value in VALUES if value not in LIKE_AN_ID),
    )
    for number, value in enumerate(VALUES):
        name = "other" if value in LIKE_A_NAME else value
        database.insert(
            "system_alerts",
            {"id": f"alert-{number}", "type": name, "level": name, "message": f"alert: {value}"},
        )


def relations(database: AppDatabase) -> list[str]:
    """Every table, view and materialized view in the analytics schemas."""
    return [
        row["name"]
        for row in database.query(
            "select pg_class.oid::regclass::text as name from pg_class"
            " inner join pg_namespace on pg_namespace.oid = relnamespace"
            " where nspname like 'analytics%%' and relkind in ('r', 'v', 'm', 'p')",
            (),
        )
    ]


def traces(text: str) -> list[str]:
    """The planted values in a text, as they were written or as JSON or SQL would quote them."""
    text = text.lower()
    written = [value for value in VALUES if len(value) > 2]
    return [
        value
        for value in written
        if any(
            spelling.lower() in text
            for spelling in (value, value.replace('"', '\\"'), value.replace("'", "''"))
        )
    ]


@pytest.fixture(scope="module")
def planted(server: Server) -> AppDatabase:
    """A database full of what must not leave it, with the views of staging."""
    database = make_database(server)
    plant_everything(database)
    database.dbt("seed")
    database.dbt("run", "--select", "path:models/staging")
    return database


def test_there_are_150_values_of_25_kinds() -> None:
    """The size of the trial."""
    assert len(PLANTED) >= 25
    assert len(set(VALUES)) == len(VALUES) >= 150


def test_no_planted_value_leaves_the_app(planted: AppDatabase, tmp_path: Path) -> None:
    """Every column of every relation of ours, what dbt says, its logs and its files."""
    command = [
        sys.executable,
        "-m",
        "dbt.cli.main",
        "build",
        "--exclude-resource-type",
        "unit_test",
    ]
    flags = {
        "--project-dir": PROJECT,
        "--profiles-dir": profiles_directory(),
        "--target-path": tmp_path,
        "--log-path": tmp_path / "logs",
        "--log-level-file": "debug",
    }
    run = subprocess.run(
        [*command, *(str(part) for flag in flags.items() for part in flag)],
        env=os.environ | planted.environment() | {"DBT_PG_PYTHON_MODELS": "True"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout

    found = {}
    names = relations(planted)
    assert {"analytics.fct_generations", "analytics.failure_reasons"} <= set(names)
    for name in names:
        rows = planted.query(f"select relation::text as row from {name} as relation")
        if left := traces("\n".join(row["row"] for row in rows).replace('""', '"')):
            found[name] = left
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert tmp_path / "logs" / "dbt.log" in files
    for path in files:
        if left := traces(path.read_text(errors="replace")):
            found[str(path)] = left
    if left := traces(run.stdout + run.stderr):
        found["output"] = left
    assert not found


def test_what_is_not_shown_is_reported(planted: AppDatabase) -> None:
    """Each row with a name or id that is none stands in `withheld_values`, without it."""
    planted.dbt("run", "--select", "withheld_values")
    counted = planted.query(
        "select source_table, count(*) as rows from analytics.withheld_values group by 1 order by 1"
    )
    names = len(VALUES) - len(LIKE_A_NAME)
    ids = len(VALUES) - len(LIKE_AN_ID)
    assert {row["source_table"]: row["rows"] for row in counted} == {
        "enhancement_tasks": 3 * names + 2 * ids,
        "credit_transactions": 4 * names + 3 * ids,
        "user_credits": names + ids,
        "system_alerts": names,
    }


def shown(database: AppDatabase, messages: list[str]) -> list[str]:
    """What `stg_app__enhancement_tasks` makes of messages."""
    database.execute("truncate enhancement_tasks")
    database.insert(
        "enhancement_tasks",
        *(
            {"id": f"{number:08}", "status": "failed", "error_message": message}
            for number, message in enumerate(messages)
        ),
    )
    rows = database.query(
        "select error_message from analytics_staging.stg_app__enhancement_tasks order by task_id"
    )
    return [row["error_message"] for row in rows]


def test_technical_messages_survive(planted: AppDatabase) -> None:
    """In several languages, as they are; what is particular to a call is replaced."""
    assert shown(planted, KEPT) == KEPT
    assert shown(planted, list(REDUCED)) == list(REDUCED.values())


def test_sql_and_oracle_agree(planted: AppDatabase) -> None:
    """Two programs of the same rule, on all that is planted and on what random letters make."""
    messages = [sentence.format(value) for value in VALUES for sentence in SENTENCES] + KEPT
    assert shown(planted, messages) == [shown_message(message) for message in messages]


PIECES = st.one_of(
    st.sampled_from([*KEPT, *VALUES, *"\"'`“”„«»:=()[]{}|,;.-—/@", "prompt:", "429", "12", "the"]),
    st.sampled_from(sorted(seeds.message_words())),
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(PIECES, max_size=9).map(" ".join), min_size=20, max_size=20))
def test_any_text_is_taken(planted: AppDatabase, messages: list[str]) -> None:
    """Nothing stops a run, and nothing is left but known words, short numbers and placeholders."""
    known = {*seeds.message_words(), "text", "number", "url", "email"}
    for message in shown(planted, messages):
        assert len(message) <= 2000
        for word in re.findall("[A-Za-z]+", without_accents(message)):
            parts = re.findall("[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[A-Z]", word)
            assert word.lower() in known or len(word) <= 4 or {p.lower() for p in parts} <= known


WORDS = st.sampled_from(
    ["request failed", "Invalid input", "timeout for", "denied:", "(see", "error=", "HTTP 503,"]
)
LETTERS = st.text(string.ascii_lowercase, min_size=4, max_size=10)
TOKENS = st.text(string.ascii_letters + string.digits, min_size=16, max_size=60).filter(
    lambda text: any(map(str.isdigit, text))
)
SECRETS = st.one_of(
    st.builds("{}.{}@{}.com".format, LETTERS, LETTERS, LETTERS),
    st.builds("{}+{}@{}.co.uk".format, LETTERS, st.integers(0, 99), LETTERS),
    st.builds("https://{}.example/{}?sig={}".format, LETTERS, LETTERS, TOKENS),
    st.builds("{}.{}.supabase.co".format, LETTERS, LETTERS),
    st.uuids().map(str),
    st.uuids().map(lambda value: value.hex.upper()),
    st.ip_addresses().map(str),
    st.ip_addresses(v=6, network="::/32").map(str),  # short ones look most like words
    st.ip_addresses(v=6, network="::/96").map("[{}]:443".format),
    st.integers(10**6, 10**16).map(str),
    st.builds("+49 {} {}".format, st.integers(100, 999), st.integers(10**5, 10**8)),
    TOKENS,
    TOKENS.map("sk-live-{}".format),
    LETTERS.map("sk-live-{}".format),
    TOKENS.map("Bearer {}".format),
    st.builds("eyJ{}.{}.{}".format, TOKENS, TOKENS, TOKENS),
    st.binary(min_size=24, max_size=60).map(lambda raw: base64.b64encode(raw).decode()),
    st.builds("api_key={}".format, LETTERS),
    st.builds("password: {}".format, LETTERS),
    st.builds("user_name={}".format, LETTERS),
    st.builds("/home/{}/{}.png".format, LETTERS, LETTERS),
    st.builds('prompt "{} {}"'.format, LETTERS, LETTERS),
    st.builds("data:image/png;base64,{}".format, TOKENS),
)
SHAPES = st.sampled_from(["{}", "({})", "<{}>", "{},", "'{}'"])


@example(words=[], secret="::ffff:0:0", shape="{}")
@example(words=[], secret="::158d:0", shape="{}")
@example(words=["error="], secret="[::beef]:80", shape="({})")
@given(st.lists(WORDS, max_size=3), SECRETS, SHAPES)
def test_no_secret_survives(words: list[str], secret: str, shape: str) -> None:
    """Whatever surrounds it: no run of four characters or more of a secret is left.

    Asked of the oracle, with which the database agrees; words that messages may show are none.
    """
    message = " ".join([*words, shape.format(secret), "end"])
    kept = set("".join(c if c.isalnum() else " " for c in shown_message(message).lower()).split())
    written = set("".join(c if c.isalnum() else " " for c in secret.lower()).split())
    known = set(seeds.message_words()) | set(" ".join(words).lower().split())
    assert not {part for part in written - known if len(part) >= 4} & kept


def test_a_secret_cut_in_two_is_left_out() -> None:
    """Messages are cut at 2,000 characters: the last word may be half an address."""
    message = "word " * 397 + "mail from margaret"
    assert "margaret" not in shown_message(message[:2000].ljust(2000, "t"))


def test_names_of_models_are_names() -> None:
    """The rule takes what vendors call their models."""
    names = [*NAMES, *MODELS]
    assert [shown_name(name) for name in names] == [name.lower() for name in names]


def test_most_of_what_has_the_shape_of_no_name_is_none() -> None:
    """What is left cannot be told from the name of a model, or of a person."""
    left = [value for value in MORE if shown_name(value) != "unknown"]
    assert len(left) <= len(MORE) / 6, left


@pytest.mark.parametrize("value", IDS)
def test_ids_of_vendors_are_ids(value: str) -> None:
    """The rule takes what vendors and identity providers use as ids."""
    assert shown_id(value) == value


def test_names_and_ids_of_the_database_are_those_of_the_oracle(planted: AppDatabase) -> None:
    """All that is planted, and what must stay."""
    planted.execute("truncate enhancement_tasks")
    values = [
        *VALUES,
        *MORE,
        *NAMES,
        *MODELS,
        *IDS,
        "a" * 40,
        "a" * 41,
        "one two three",
        "one two three four",
        " ",
    ]
    planted.insert(
        "enhancement_tasks",
        *({"result_url": str(n), "id": v, "provider": v} for n, v in enumerate(values)),
    )
    rows = planted.query(
        "select task_id, provider from analytics_staging.stg_app__enhancement_tasks"
    )
    found = {(row["task_id"], row["provider"]) for row in rows}
    assert found == {(shown_id(value), shown_name(value)) for value in values}


def test_seeds_are_ascii() -> None:
    """A database of any encoding takes them."""
    assert all(word.isascii() and word == word.lower() for word in seeds.message_words())
