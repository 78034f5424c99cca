"""A typed door to numba: its decorators carry no types, so mypy would lose every function behind them."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def jit(function: Callable[P, R]) -> Callable[P, R]:
    """Compile to machine code on first use and keep the result on disk; the signature stays as written."""
    return cast(Callable[P, R], njit(cache=True, error_model="numpy")(function))


def jit_unlocked(function: Callable[P, R]) -> Callable[P, R]:
    """As `jit`, for functions that several threads run at once: they leave the interpreter's lock to others."""
    return cast(Callable[P, R], njit(cache=True, error_model="numpy", nogil=True)(function))
