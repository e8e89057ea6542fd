"""Parsers in a process of their own: a crash on a broken file ends that and nothing else."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


class ParserCrash(Exception):
    """The process ended before it answered."""


def run_apart(
    function: Callable[Given, Answer], *arguments: Given.args, **named: Given.kwargs
) -> Answer:
    """What a function answers in the other process, to which all of this must be sent.

    tree-sitter's grammars are programs in C. That of shells (tree-sitter-bash 0.25.1) was seen to
    end the process on texts that are no scripts.
    """
    try:
        return _process().submit(function, *arguments, **named).result()
    except BrokenProcessPool:
        _process.cache_clear()
        raise ParserCrash from None


@cache
def _process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn"))
