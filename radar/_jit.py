"""A typed door to numba: its decorators carry no types, so mypy would lose every function behind them.

numba takes a third of a second and 30 MiB to load, and most commands compute nothing with it: a function asks for it
when it is first called.

What is compiled is kept on disk. numba finds it out of date by the source file of the function alone; ours goes by all
that is compiled into it (`_digest`), so that an upgrade never runs yesterday's callee.
"""

import hashlib
import sys
import threading
from collections.abc import Callable, Iterator
from functools import cache, update_wrapper
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, Generic, ParamSpec, TypeVar, cast

from radar._prefetch import introduce

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
                self._made._cache._cache_file._source_stamp = _digest(self._function)
            return self._made

    @property
    def inner(self) -> Any:
        """The same for compiled functions that call it, without a door from Python: theirs are all that is kept."""
        with _one_at_a_time:
            if self._inner is None:
                from numba import njit

                self._inner = njit(no_cpython_wrapper=True, **self._options)(self._function)
            return self._inner


def _digest(function: Callable[..., Any]) -> str:
    """SHA-256 of what is compiled into a function: the modules of all that it calls, and the numbers that it names."""
    parts: dict[str, bytes] = {}
    waiting = [function]
    seen = set(waiting)
    while waiting:
        plain = cast(FunctionType, waiting.pop())
        parts[plain.__module__] = _source(plain.__module__)
        for name, value in _named(plain):
            if isinstance(value, _Compiled):
                if value._function not in seen:
                    seen.add(value._function)
                    waiting.append(value._function)
            elif getattr(value, "__module__", None) in sys.modules and not isinstance(value, type):
                parts[value.__module__] = _source(value.__module__)
            elif not isinstance(value, ModuleType):
                parts[f"{plain.__module__}.{name}"] = getattr(value, "tobytes", lambda v=value: repr(v).encode())()
    return hashlib.sha256(repr(sorted(parts.items())).encode()).hexdigest()


def _named(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """The globals that a function's code names, in whatever depth."""
    codes = [function.__code__]
    while codes:
        code = codes.pop()
        codes += [part for part in code.co_consts if isinstance(part, CodeType)]
        for name in code.co_names:
            if name in function.__globals__:
                yield name, function.__globals__[name]


@cache
def _source(module: str) -> bytes:
    path = getattr(sys.modules[module], "__file__", None)
    return Path(path).read_bytes() if path else b""


_introduced = False


def _introduce() -> None:
    """Tell numba to see through `_Compiled` where a function that it compiles names one, and what `prefetch` is."""
    global _introduced
    if not _introduced:
        from numba.extending import typeof_impl

        introduce()
        typeof_impl.register(_Compiled)(lambda value, context: typeof_impl(value.inner, context))
        _introduced = True


def jit(function: Callable[P, R]) -> Callable[P, R]:
    """Compile to machine code on first use and keep the result on disk; the signature stays as written."""
    return _Compiled(function)


def jit_unlocked(function: Callable[P, R]) -> Callable[P, R]:
    """As `jit`, for functions that several threads run at once: they leave the interpreter's lock to others."""
    return _Compiled(function, nogil=True)
