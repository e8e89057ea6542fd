"""Why generations fail: error messages without what is particular to one call, sorted by cause.

Normalisation keeps what it knows to be harmless rather than removing what it knows to be harmful: a
word stays where it is made of letters as words are, and an HTTP status after `http`, `status`,
`code` or `error`. Everything else becomes a placeholder: numbers, ids, keys, tokens, addresses,
paths, quotations, and what stands after `prompt:`, `user=` and the like. A name that is written as
an ordinary word within a sentence cannot be told from one.

Causes come from the patterns in the seed `failure_reason_rules`. What they leave is grouped by
leader clustering (Hartigan 1975, "Clustering Algorithms", ch. 3) on the cosine similarity of letter
trigrams (scikit-learn): in order of first appearance, a message joins the first group whose founder
it resembles, or founds its own. Later messages cannot change earlier groups, so labels stay.
"""

import re
import unicodedata

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import HashingVectorizer

REDACTED_LENGTH = 2000  # fct_generations cuts messages here, maybe within a secret
MESSAGE_LENGTH = 200
WORD_LENGTH = 18
SIMILARITY = 0.6
MOST_GROUPS = 500  # keeps the work linear in the number of messages
BLOCK_SIZE = 1000
OTHER_MESSAGES = "other messages"

PERSONAL = "user|username|name|e-?mail|phone|address|ip|host|cookie|session|file|filename"
SECRET = (
    "bearer|token|access.?token|api.?key|key|secret|password|passwd|pwd|authorization|signature"
)
TELLING = ("error", "reason", "code", "status", "message", "type", "cause", "detail")
REPLACEMENTS = [
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in [
        (rf"\"({'|'.join(TELLING)})\"\s*:\s*\"([^\"]*)\"", r" \1 \2 "),
        (rf"\"({'|'.join(TELLING)})\"\s*:", r" \1 "),
        (r"\b(prompt|caption|input|text|query)\s*[:=].*", r"\1 <text>"),
        (r"\"[^\"]*(\"|$)|`[^`]*(`|$)|“[^”]*(”|$)|«[^»]*(»|$)|(?<!\w)'.*?'(?!\w)", " <text> "),
        (r"\b(bearer|basic)\s+[^\s<]+", r"\1 <key>"),
        (rf"\b({SECRET})\s*[:=]+\s*(bearer\s+|basic\s+)?[^\s<]+", r"\1 <key>"),
        (rf"\b({PERSONAL})\s*[:=]+\s*[^\s<]+", r"\1 <id>"),
    ]
]
KEY_PREFIX = re.compile(
    r"(sk|pk|rk|gh[opsu]|xox[abprs]|eyj|akia|asia|aiza|ya29|whsec|glpat|sbp|shpat|hf|r8|key)[-_.]?(?=.{6})",
    re.IGNORECASE,
)
PLACEHOLDER = re.compile(r"<(url|email|key|text|id|number|path)>")
NUMBER = re.compile(r"[-+#$€£~≈]?\d[\d.,:x%]*(ms|s|m|h|kb|mb|gb|px|k|st|nd|rd|th)?", re.IGNORECASE)
HEXADECIMAL = re.compile(r"(0x)?[0-9a-f]{8,}", re.IGNORECASE)
ADDRESS = re.compile(r"(?<!\w)[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*(?!\w)", re.IGNORECASE)  # IPv6
STATUS_CODE = re.compile(r"[1-5]\d\d")
WORD_HUMPS = re.compile(r"([A-Z]?[a-z]{2,}|[A-Z]{2,})([A-Z][a-z]+|[A-Z]{2,}){0,4}|[A-Za-z]")


def is_word(text: str) -> bool:
    """Say whether letters look like a word, or some in camel case, rather than like a token."""
    if len(text) > (2 * WORD_LENGTH if not text.islower() else WORD_LENGTH) or not text.isalpha():
        return False
    if text.isascii():
        return WORD_HUMPS.fullmatch(text) is not None
    return text in (text.lower(), text.upper(), text.title())


def normalise_word(word: str, previous: str) -> str:
    """One word as it is, in lower case, or the placeholder for it; empty for punctuation."""
    if found := PLACEHOLDER.search(word):
        return found.group()
    written = word
    word = word.strip("()[]{}<>.,;:!?\"'`*|-=_/\\")
    if not any(letter.isalnum() for letter in word):
        return ""
    if "@" in word:
        return "<email>"
    if "://" in word or word.lower().startswith(("www.", "data:")):
        return "<url>"
    if STATUS_CODE.fullmatch(word) and previous in ("http", "status", "code", "error"):
        return word
    if HEXADECIMAL.fullmatch(word):
        return "<id>"
    if NUMBER.fullmatch(word):
        return "<number>"
    if ADDRESS.search(written):
        return "<id>"
    name, separator, value = word.partition("=" if "=" in word else ":")
    if separator:
        kept = normalise_word(value, name.lower()) if name.lower() in TELLING else "<id>"
        return f"{normalise_word(name, previous)} {kept}".strip()
    parts = re.split(r"[-_'/]", word)
    if "." in word or "\\" in word or ("/" in word and len(parts) > 2):
        return "<path>"
    if KEY_PREFIX.match(word) and len(parts) > 1:
        return "<key>"
    if len(word) > 2 * WORD_LENGTH or not all(is_word(part) for part in parts if part):
        return "<id>"
    return word.lower()


def normalise(message: str) -> str:
    """A message without what is particular to one call; see the head of this file."""
    text = unicodedata.normalize("NFKC", message)
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    if len(message) >= REDACTED_LENGTH:
        text = text.rpartition(" ")[0]
    for pattern, replacement in REPLACEMENTS:
        text = pattern.sub(replacement, text)
    words = [""]
    for word in text.split():
        normalised = normalise_word(word, words[-1])
        if normalised and not (normalised == words[-1] and normalised.startswith("<")):
            words.append(normalised)
    text = " ".join(words[1:])
    return text if len(text) <= MESSAGE_LENGTH else text[:MESSAGE_LENGTH].rpartition(" ")[0]


def compile_rules(rules: pd.DataFrame) -> list[tuple[re.Pattern, str, str]]:
    """Read the seed `failure_reason_rules`: pattern, category and reason in order of priority.

    Raises:
        ValueError: a pattern is no regular expression.
    """
    compiled = []
    for rule in rules.sort_values("priority").itertuples():
        try:
            compiled.append((re.compile(rule.pattern), rule.category, rule.reason))
        except re.error as error:
            raise ValueError(
                f"failure_reason_rules, priority {rule.priority}: the pattern '{rule.pattern}' is"
                f" no regular expression ({error})"
            ) from error
    return compiled


def match_rules(messages: pd.Series, rules: pd.DataFrame) -> pd.DataFrame:
    """Category and reason of each normalised message; both null where no rule matches."""
    compiled = compile_rules(rules)

    def first_match(message: str) -> tuple[str | None, str | None]:
        return next(
            (
                (category, reason)
                for pattern, category, reason in compiled
                if pattern.search(message)
            ),
            (None, None),
        )

    return pd.DataFrame(
        [first_match(message) for message in messages],
        columns=["category", "reason"],
        index=messages.index,
        dtype=object,
    )


def group_similar(messages: list[str], block_size: int = BLOCK_SIZE) -> list[str]:
    """The founder of each message's group, for messages in order of first appearance."""
    if not messages:
        return []
    vectors = HashingVectorizer(
        analyzer="char_wb", ngram_range=(3, 3), alternate_sign=False
    ).transform(messages)
    founders: list[int] = []
    group = np.full(len(messages), -1)
    for start in range(0, len(messages), block_size):
        block = np.arange(start, min(start + block_size, len(messages)))
        if founders:
            alike = (vectors[block] @ vectors[founders].T).toarray() >= SIMILARITY
            joined = alike.any(axis=1)
            group[block[joined]] = np.array(founders)[alike[joined].argmax(axis=1)]
            block = block[~joined]
        while len(block) and len(founders) < MOST_GROUPS:
            founders.append(block[0])
            joined = (vectors[block] @ vectors[block[0]].T).toarray().ravel() >= SIMILARITY
            joined[0] = True
            group[block[joined]] = block[0]
            block = block[~joined]
    return [messages[founder] if founder >= 0 else OTHER_MESSAGES for founder in group]


def explain_failures(failures: pd.DataFrame, rules: pd.DataFrame) -> pd.DataFrame:
    """One row per normalised message.

    Args:
        failures: failures by message and user, as `int_failures_by_user`.
        rules: the seed `failure_reason_rules`.
    """
    # pandas holds a null as None or, in a column of nulls, as NaN.
    failures = failures.assign(error_message=failures["error_message"].astype(object).fillna(""))
    distinct = failures["error_message"].drop_duplicates()
    normalised = dict(zip(distinct, map(normalise, distinct), strict=True))
    failures = failures.assign(normalised_message=failures["error_message"].map(normalised))
    reasons = (
        failures.groupby("normalised_message")
        .agg(
            failed_generations=("failed_generations", "sum"),
            refunded_generations=("refunded_generations", "sum"),
            users=("user_id", "nunique"),
            first_seen_at=("first_seen_at", "min"),
            last_seen_at=("last_seen_at", "max"),
        )
        .reset_index()
        .sort_values(["first_seen_at", "normalised_message"], ignore_index=True)
    )
    reasons[["category", "reason"]] = match_rules(reasons["normalised_message"], rules)
    unmatched = reasons["category"].isna()
    reasons.loc[unmatched, "reason"] = group_similar(list(reasons["normalised_message"][unmatched]))
    reasons["category"] = reasons["category"].fillna("unknown")
    share = reasons["refunded_generations"].astype(float) / reasons["failed_generations"].astype(
        float
    )
    reasons["refunded_share"] = share.round(6)
    return reasons


def model(dbt, session):
    """Table of normalised error messages."""
    failures = dbt.ref("int_failures_by_user")
    rules = dbt.ref("failure_reason_rules")
    return explain_failures(failures, rules)
