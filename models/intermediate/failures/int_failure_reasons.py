"""Why generations fail: error messages without what is particular to one call, sorted by cause.

Messages come as `fct_generations` shows them: what may be a person's has long been replaced, by
`scrub_text`. Here they only lose case, punctuation and numbers, save an HTTP status after `http`,
`status`, `code` or `error`, so that messages of one cause are alike.

Causes come from the patterns in the seed `failure_reason_rules`. What they leave is grouped by
leader clustering (Hartigan 1975, "Clustering Algorithms", ch. 3) on the cosine similarity of letter
trigrams (scikit-learn): in order of first appearance, a message joins the first group whose founder
it resembles, or founds its own. Later messages cannot change earlier groups, so labels stay.
"""

import re

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import HashingVectorizer

MESSAGE_LENGTH = 200
SIMILARITY = 0.6
MOST_GROUPS = 500  # keeps the work linear in the number of messages
BLOCK_SIZE = 1000
OTHER_MESSAGES = "other messages"

WORD = re.compile(r"<[a-z]+>|[^\W_]+", re.UNICODE)
STATUS_CODE = re.compile(r"[1-5]\d\d")


def normalise(message: str) -> str:
    """A message's words in lower case, without what differs from call to call."""
    words = [""]
    for word in WORD.findall(message.lower()):
        if word[0].isdigit() and not (
            STATUS_CODE.fullmatch(word) and words[-1] in ("http", "status", "code", "error")
        ):
            word = "<number>"
        if not (word == words[-1] and word.startswith("<")):
            words.append(word)
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


def explain_messages(failures: pd.DataFrame, rules: pd.DataFrame) -> pd.DataFrame:
    """One row per error message, with the message normalised, its category and its reason.

    Args:
        failures: failures by message and user, as `int_failures_by_user`.
        rules: the seed `failure_reason_rules`.
    """
    # pandas holds a null as None or, in a column of nulls, as NaN.
    messages = (
        failures.assign(error_message=failures["error_message"].astype(object).fillna(""))
        .groupby("error_message")
        .agg(first_seen_at=("first_seen_at", "min"))
        .reset_index()
    )
    messages["normalised_message"] = messages["error_message"].map(normalise)
    reasons = (
        messages.groupby("normalised_message")
        .agg(first_seen_at=("first_seen_at", "min"))
        .reset_index()
        .sort_values(["first_seen_at", "normalised_message"], ignore_index=True)
    )
    reasons[["category", "reason"]] = match_rules(reasons["normalised_message"], rules)
    unmatched = reasons["category"].isna()
    reasons.loc[unmatched, "reason"] = group_similar(list(reasons["normalised_message"][unmatched]))
    reasons["category"] = reasons["category"].fillna("unknown")
    return messages.drop(columns="first_seen_at").merge(
        reasons.drop(columns="first_seen_at"), on="normalised_message", validate="many_to_one"
    )


def model(dbt, session):
    """Table of error messages and why generations fail with them."""
    failures = dbt.ref("int_failures_by_user")
    rules = dbt.ref("failure_reason_rules")
    return explain_messages(failures, rules)
