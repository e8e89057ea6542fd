"""What a channel has not been told yet."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from notify.alerts import Alert

RANKS = {"warning": 1, "critical": 2}
WORSE_FROM = 2  # times the value that was told

Told = dict[str, dict[str, str]]  # of one channel: alert_id -> what it was told


@dataclass
class News:
    """What is new, worse and over for one channel, and what it will have been told."""

    new: list[Alert] = field(default_factory=list)
    worse: list[Alert] = field(default_factory=list)
    over: list[str] = field(default_factory=list)
    told: Told = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.new or self.worse or self.over)

    @property
    def summary(self) -> str:
        """How many there are of each."""
        counts = {"new": len(self.new), "worse": len(self.worse), "over": len(self.over)}
        return ", ".join(f"{count} {what}" for what, count in counts.items() if count)

    @property
    def title(self) -> str:
        """The subject of the message."""
        return f"paygen alerts: {self.summary}"

    @property
    def body(self) -> str:
        """One line for each."""
        lines = [f"NEW {alert}" for alert in self.new]
        lines += [f"WORSE {alert}" for alert in self.worse]
        lines += [f"OVER {message}" for message in self.over]
        return "\n".join(lines)

    @property
    def is_critical(self) -> bool:
        """Whether any that is open is critical."""
        return any(alert.severity == "critical" for alert in (*self.new, *self.worse))


def find(alerts: Iterable[Alert], told: Told, is_complete: bool = True) -> News:
    """Compare what is open with what the channel was told.

    An alert that got better is not told: it is the worst that was told that counts. Where `alerts`
    are not all that may be open, none is over.
    """
    news = News()
    for alert in alerts:
        before = told.get(alert.alert_id)
        if before is None:
            news.new.append(alert)
        elif is_worse(alert, before):
            news.worse.append(alert)
        else:
            news.told[alert.alert_id] = before
            continue
        news.told[alert.alert_id] = {
            "severity": alert.severity,
            "value": str(alert.value),
            "message": alert.message,
        }
    others = {name: each for name, each in told.items() if name not in news.told}
    if is_complete:
        news.over = [each["message"] for each in others.values()]
    else:
        news.told |= others
    return news


def is_worse(alert: Alert, before: dict[str, str]) -> bool:
    """Whether its severity rose, or its value at least doubled, since it was told."""
    value = Decimal(before["value"])
    return RANKS.get(alert.severity, 0) > RANKS.get(before["severity"], 0) or (
        0 < value * WORSE_FROM <= alert.value
    )
