"""Runs that the database asks for, by `notify`: as pg_cron does."""

import logging
import select
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import psycopg2
from psycopg2 import sql

from reader.problems import shown

LOOK_SECONDS = 1.0
TRY_AGAIN_SECONDS = 15.0

logger = logging.getLogger("scheduler")


@contextmanager
def listening(channel: str, ask: Callable[[str], bool]) -> Iterator[None]:
    """Ask for the run that each message names, until the block ends.

    A connection that ends is opened again; what was said meanwhile is lost.
    """
    stopped = threading.Event()
    thread = threading.Thread(target=_listen, args=(channel, ask, stopped), name="listener")
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def _listen(channel: str, ask: Callable[[str], bool], stopped: threading.Event) -> None:
    while not stopped.is_set():
        try:
            with closing(
                psycopg2.connect(
                    "", connect_timeout=5, application_name="paygen listener", keepalives_idle=30
                )
            ) as connection:
                connection.autocommit = True
                with connection.cursor() as cursor:
                    cursor.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
                logger.info("runs may be asked for by: select pg_notify('%s', name)", channel)
                while not stopped.is_set():
                    if select.select([connection], [], [], LOOK_SECONDS)[0]:
                        connection.poll()
                    while connection.notifies:
                        name = connection.notifies.pop(0).payload
                        if not ask(name):
                            logger.error("'%s' was asked for, and is no run", shown(name))
        except psycopg2.Error as error:
            logger.error("no runs can be asked for now: %s", shown(str(error), 200))
            stopped.wait(TRY_AGAIN_SECONDS)
