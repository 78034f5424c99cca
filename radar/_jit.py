"""A typed door to numba: its decorators carry no types, so mypy would lose every function behind them.

numba takes a third of a second and 30 MiB to load, and most commands compute nothing with it: a function asks for it
when it is first called.
"""

import threading
from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")

_one_at_a_time = threading.RLock()


class _Compiled(Generic[P, R]):
    """A function that numba compiles; others that are compiled may call it by its name."""

    def __init__(self, function: Callable[P, R], **options: Any) -> None:
        self._function, self._options = function, options | {"error_model": "numpy", "no_cfunc_wrapper": True}
        self._made: Any = None
        self._inner: Any = None
        update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        made = self._made or self.dispatcher
        return cast(R, made(*args, **kwargs))

    @property
    def dispatcher(self) -> Any:
        """What numba makes of the function, which is compiled for each kind of arguments when they first come."""
        with _one_at_a_time:
            if self._made is None:
                _introduce()
                from numba import njit

                self._made = njit(cache=True, **self._options)(self._function)
            return self._made

    @property
    def inner(self) -> Any:
        """The same for compiled functions that call it, without a door from Python: theirs are all that is kept."""
        with _one_at_a_time:
            if self._inner is None:
                from numba import njit

                self._inner = njit(no_cpython_wrapper=True, **self._options)(self._function)
            return self._inner


_introduced = False


def _introduce() -> None:
    """Tell numba to see through `_Compiled` where a function that it compiles names one."""
    global _introduced
    if not _introduced:
        from numba.extending import typeof_impl

        typeof_impl.register(_Compiled)(lambda value, context: typeof_impl(value.inner, context))
        _introduced = True


def jit(function: Callable[P, R]) -> Callable[P, R]:
    """Compile to machine code on first use and keep the result on disk; the signature stays as written."""
    return _Compiled(function)


def jit_unlocked(function: Callable[P, R]) -> Callable[P, R]:
    """As `jit`, for functions that several threads run at once: they leave the interpreter's lock to others."""
    return _Compiled(function, nogil=True)
