"""`int_failure_reasons`: causes are found, labels stay. What messages may hold: tests/security."""

import random

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.app_database import PROJECT
from tests.oracle.texts import shown_message
from tests.python_models.histories import load_model

reasons = load_model("int_failure_reasons")
RULES = pd.read_csv(PROJECT / "seeds" / "failure_reason_rules.csv")
CATEGORIES = {
    "timeout after 90s waiting for prediction 0d1f244e": "timeout",
    "HTTP 429: Too Many Requests": "rate_limit",
    '{"error": {"code": 429, "message": "slow down"}}': "rate_limit",
    "HTTP 503: upstream unavailable (req 4e21a855)": "provider_unavailable",
    "Content policy violation: prompt rejected": "content_policy",
    "Invalid image format: expected JPEG, got 1f87a217": "invalid_input",
    "Insufficient credits in enhancement service": "insufficient_vendor_credits",
    "ECONNRESET fetch failed https://cdn.example/95d8235d.png": "network",
    "Failed to upload result to storage bucket results": "storage",
    "Unknown error": "unknown",
    "": "unknown",
    "The flux capacitor wobbles": "unknown",
}


def failures(messages: list[str], minutes: list[int] | None = None) -> pd.DataFrame:
    """A failure of one user each, in the order given, as `int_failures_by_user`."""
    seen = pd.to_datetime("2024-01-01", utc=True) + pd.to_timedelta(
        minutes or range(len(messages)), unit="min"
    )
    return pd.DataFrame(
        {
            "error_message": messages,
            "user_id": [f"user-{number % 3}" for number in range(len(messages))],
            "failed_generations": 1,
            "refunded_generations": [number % 2 for number in range(len(messages))],
            "first_seen_at": seen,
            "last_seen_at": seen,
        }
    )


def labels(rows: pd.DataFrame) -> pd.Series:
    """The reason of each normalised message."""
    explained = reasons.explain_messages(rows, RULES)
    return explained.drop_duplicates("normalised_message").set_index("normalised_message")["reason"]


@given(st.text(max_size=300))
def test_any_text_is_taken(text: str) -> None:
    """No text is refused, and what is left is short and printable."""
    normalised = reasons.normalise(text)
    assert len(normalised) <= reasons.MESSAGE_LENGTH
    assert normalised.isprintable()


@pytest.mark.parametrize(("message", "category"), CATEGORIES.items())
def test_category(message: str, category: str) -> None:
    """The app's own messages, and the usual ones, find their category."""
    explained = reasons.explain_messages(failures([shown_message(message)]), RULES)
    assert explained["category"].item() == category


def test_each_message_is_one_row() -> None:
    """Whoever met it and however often; a null is the empty message, and numbers make no cause."""
    waiting = [f"waited {number} s in vain" for number in (7, 8, 7, 9)]
    explained = reasons.explain_messages(failures([*waiting, None, "", None]), RULES)
    assert explained.sort_values("error_message").to_dict("records") == [
        {
            "error_message": "",
            "normalised_message": "",
            "category": "unknown",
            "reason": "No cause given",
        },
        *(
            {
                "error_message": f"waited {number} s in vain",
                "normalised_message": "waited <number> s in vain",
                "category": "unknown",
                "reason": "waited <number> s in vain",
            }
            for number in (7, 8, 9)
        ),
    ]


def test_similar_messages_share_a_readable_label_that_stays() -> None:
    """New messages, and another order of rows, leave the labels of earlier messages alone."""
    old = [
        "flux capacitor wobbles badly",
        "the flux capacitor wobbles badly again",
        "gizmo out of cheese",
        "gizmo is out of cheese",
    ]
    new = ["the flux capacitor wobbled badly", "gizmo ran out of cheese", "brand new trouble"]
    before = labels(failures(old))
    assert set(before) == {"flux capacitor wobbles badly", "gizmo out of cheese"}

    everything = failures(old + new).sample(frac=1, random_state=1)
    after = labels(everything)
    assert after[before.index].to_dict() == before.to_dict()
    assert after["brand new trouble"] == "brand new trouble"


def test_groups_do_not_depend_on_the_block_size() -> None:
    """Blocks are a matter of memory, not of meaning."""
    draw = random.Random(7)
    words = ["alpha", "beta", "gamma", "delta", "omega", "sigma", "kappa", "lambda"]
    messages = [" ".join(draw.choices(words, k=3)) for _ in range(300)]
    assert reasons.group_similar(messages, 7) == reasons.group_similar(messages, 1000)


def test_a_bad_pattern_is_named() -> None:
    """A typo in the seed is an error in words."""
    rules = pd.DataFrame(
        {"priority": [3], "category": ["x"], "reason": ["x"], "pattern": ["(oops"]}
    )
    with pytest.raises(ValueError, match=r"failure_reason_rules, priority 3: the pattern '\(oops'"):
        reasons.compile_rules(rules)


def test_no_failures() -> None:
    """An empty table has every column."""
    explained = reasons.explain_messages(failures([]), RULES)
    assert explained.empty
    assert list(explained) == ["error_message", "normalised_message", "category", "reason"]
