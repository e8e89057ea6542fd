"""dbt without what no test hears: a fifth of a run's time goes into its events of level `debug`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from dbt_common.events.base_types import BaseEvent, EventLevel
from dbt_common.events.event_manager import EventManager
from dbt_pg_python_models.fast_start import keep_type_testers, look_up_names_of_arguments

# As the project's .env asks for in every other process.
look_up_names_of_arguments()
keep_type_testers()


@contextmanager
def debug_events_unmade() -> Iterator[None]:
    """While it lasts, an event is put together when it is said or looked at, and not before.

    Those of level `debug`, one for each statement and more, are dropped unsaid.
    """
    make, say = BaseEvent.__init__, EventManager.fire_event

    def keep(event: BaseEvent, *arguments: Any, **fields: Any) -> None:
        object.__setattr__(event, "given", (arguments, fields))

    def made(event: BaseEvent, name: str) -> Any:
        if name == "pb_msg":
            arguments, fields = object.__getattribute__(event, "given")
            make(event, *arguments, **fields)
            return object.__getattribute__(event, "pb_msg")
        return getattr(event.pb_msg, name)

    def say_aloud(
        manager: EventManager,
        e: BaseEvent,
        level: EventLevel | None = None,
        *how: Any,
        **named: Any,
    ) -> None:
        if (level or e.level_tag()) != EventLevel.DEBUG:
            say(manager, e, level, *how, **named)

    with (
        patch.object(BaseEvent, "__init__", keep),
        patch.object(BaseEvent, "__getattr__", made),
        patch.object(EventManager, "fire_event", say_aloud),
    ):
        yield
