"""What the address asks for: a month, a provider, a type of output."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from reader.months import read_month
from reader.problems import BadRequest, shown

NAMES = ("month", "provider", "type")
NAME_LENGTH = 200


@dataclass(frozen=True)
class Filters:
    """The filters of one page; None where one is not set."""

    month: date | None = None
    provider: str | None = None
    type: str | None = None

    @property
    def are_narrow(self) -> bool:
        """Whether part of the generations is left out."""
        return self.provider is not None or self.type is not None

    def address(self, **changed: object) -> str:
        """The query string of the same filters with some changed."""
        values = {name: changed.get(name, getattr(self, name)) for name in NAMES}
        texts = {
            name: f"{value:%Y-%m}" if isinstance(value, date) else str(value)
            for name, value in values.items()
            if value is not None
        }
        return "?" + urlencode(texts) if texts else ""


def parse(parameters: Iterable[tuple[str, str]]) -> Filters:
    """Read the filters of an address; names of providers and types are not looked up here.

    Raises:
        BadRequest: a filter is there twice, or in another form.
    """
    given = once_each(parameters, NAMES)
    month = read_month(given["month"]) if "month" in given else None
    return Filters(month, given.get("provider"), given.get("type"))


def once_each(parameters: Iterable[tuple[str, str]], names: Collection[str]) -> dict[str, str]:
    """The parameters of an address that have one of these names, without blanks around them.

    Raises:
        BadRequest: one is there twice, or is longer than a name can be.
    """
    given: dict[str, str] = {}
    for name, value in parameters:
        if name not in names or not value.strip():
            continue
        if name in given:
            raise BadRequest(f"The address names {name} twice: leave one.")
        if "\0" in value or len(value) > NAME_LENGTH:
            raise BadRequest(f"No {name} is called '{shown(value)}'.")
        given[name] = value.strip()
    return given
