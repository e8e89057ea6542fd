"""Where messages go: apprise's addresses. They are secrets, and stand in no output of ours."""

import logging
from dataclasses import dataclass
from pathlib import Path

import apprise
from apprise.common import OverflowMode

from notify.news import News
from reader.problems import Problem

ASSET = apprise.AppriseAsset(
    app_id="paygen",
    app_desc="paygen's alerts",
    async_mode=False,
    image_url_mask="",
    image_url_logo="",
    storage_mode="memory",
)
# What it logs of a failure may hold an address.
logging.getLogger("apprise").addHandler(logging.NullHandler())
logging.getLogger("apprise").propagate = False


@dataclass(frozen=True)
class Channel:
    """One address, and the name by which it is spoken of."""

    address: str
    name: str
    service: apprise.NotifyBase

    def tell(self, news: News) -> bool:
        """Send a message; whether it was taken."""
        channel = apprise.Apprise(asset=ASSET)
        channel.add(self.service)
        kind = apprise.NotifyType.INFO
        if news.new or news.worse:
            kind = apprise.NotifyType.FAILURE if news.is_critical else apprise.NotifyType.WARNING
        try:
            return bool(
                channel.notify(
                    body=news.body,
                    title=news.title,
                    notify_type=kind,
                    body_format=apprise.NotifyFormat.TEXT,
                )
            )
        except Exception:  # of any of a hundred services: the other channels are told all the same
            return False


def read(file: Path | None, variable: str | None) -> list[Channel]:
    """The channels of a file, one address a line, else those of a variable, between blanks.

    Raises:
        Problem: there is none, or apprise knows no such address.
    """
    if file is not None:
        try:
            lines = file.read_text().splitlines()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            raise Problem(f"{file} cannot be read ({reason}): name a file of channels.") from error
        found = {f"line {number} of {file}": line.strip() for number, line in enumerate(lines, 1)}
    else:
        words = (variable or "").split()
        found = {f"address {number}": word for number, word in enumerate(words, 1)}
    addresses = {where: text for where, text in found.items() if text and not text.startswith("#")}
    if not addresses:
        raise Problem(
            f"{file or '$PAYGEN_CHANNELS'} names no channel: write apprise's addresses, such as"
            " mailto://, slack:// or json://, into a file for --channels or into $PAYGEN_CHANNELS."
        )
    return [_channel(where, text) for where, text in addresses.items()]


def _channel(where: str, address: str) -> Channel:
    service = apprise.Apprise.instantiate(address, asset=ASSET)
    if service is None:
        raise Problem(f"apprise knows no such channel: {where} (not shown, it may hold a secret).")
    if service.overflow_mode == OverflowMode.UPSTREAM:
        service.overflow_mode = OverflowMode.SPLIT
    return Channel(service.url(), f"{where} ({service.service_name or 'no name'})", service)
