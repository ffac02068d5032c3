"""The guard around the parts of third parties: what goes wrong inside one is told in one line, with its name.

A guarded part is of a class made here, derived from its own: each public member calls the part's own and
turns what it raises into a :class:`harness.errors.PluginError`. What the protocols say a member raises
passes. The parts that come with trtmatrix are not guarded: there it would be a defect of the harness.
"""

from __future__ import annotations

import traceback
from abc import ABCMeta
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, cached_property, wraps
from pathlib import Path
from types import FunctionType
from typing import Any, Generic, Protocol, TypeVar

from harness.errors import (
    InputError,
    PluginError,
    PluginFailedError,
    PluginPartError,
    UnavailableError,
    UsageError,
)
from harness.worker.conversation import WorkerEndedError

T = TypeVar("T")

DECLARED: Mapping[str, tuple[type[Exception], ...]] = {
    "resolve": (UsageError,),
    "prepare": (UnavailableError,),
    "graph": (UsageError,),
    "read": (InputError,),
    "read_engine": (InputError,),
    "keep_engine": (InputError,),
    "condense": (InputError,),
    "format_trials": (InputError,),
    "send": (OSError,),
    "ask": (WorkerEndedError,),
}
"""What members of parts may raise, by the protocols."""

HANDS_OUT = ("prepare", "start")
"""Members whose answer, a prepared environment or a conversation, is guarded as the part itself is."""


def guarded(part: T, who: str, protocol: type | None = None) -> T:
    """Return *part*, guarded from here on.

    :param who: the part in words: ``runtime 'acme' of acme-runtime 1.0``
    :param protocol: what it should be; defaults that it lacks are lent to it
    :raises PluginError: it lacks a member that has no default, or is nothing that can be a part
    """
    kind: type = type(part)
    if kind in _MADE:
        return part
    try:
        made = _class(kind, who, protocol, _lent(part, who, protocol))
        # Not through the class's own __setattr__: a frozen dataclass forbids it.
        object.__setattr__(part, "__class__", made)
    except TypeError:
        raise PluginPartError(
            f"{who}: {part!r:.60} cannot be a part: expected an object of a class"
        ) from None
    return part


_MADE: set[type] = set()


@cache
def _class(kind: type, who: str, protocol: type | None, lent: frozenset[str]) -> type:
    """Return the class of a guarded *kind*, one for all parts that are made anew at each call."""
    defaults = _members(protocol) if protocol is not None else {}
    members = {**{name: defaults[name] for name in lent}, **_members(kind)}
    body = {name: _guard(member, who, name) for name, member in members.items()}
    made = type(kind.__name__, (kind,), {"__slots__": (), "__module__": kind.__module__, **body})
    _MADE.add(made)
    return made


@contextmanager
def blamed(where: str, passes: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Turn what is raised within into one line that begins with *where*.

    :param passes: what may be raised
    :raises PluginError: anything else was
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, (PluginError, *passes)):
            raise
        raise PluginFailedError(f"{where} raised {described(error)}") from error


def described(error: BaseException) -> str:
    """Return *error* in one line: its kind, what it says, and the place in the code it comes from."""
    said = " ".join(str(error).split())
    last = traceback.extract_tb(error.__traceback__)[-1:]
    place = "".join(f" ({Path(*Path(at.filename).parts[-2:])}:{at.lineno})" for at in last)
    return type(error).__name__ + (f": {said}" if said else "") + place


def _members(kind: type) -> dict[str, object]:
    """Return the public members of *kind* and its bases, the nearest of each name."""
    found: dict[str, object] = {}
    for base in reversed(kind.__mro__):
        # The frame of typing and the language is nobody's part.
        if base not in (object, Protocol, Generic):
            found.update({name: member for name, member in vars(base).items() if not name.startswith("_")})
    return found


def _lent(part: object, who: str, protocol: type | None) -> frozenset[str]:
    """Return the names of the members of *protocol* that *part* does not have itself."""
    if protocol is None:
        return frozenset()
    lent = _members(protocol).keys() - set(dir(part))
    required = protocol.__abstractmethods__ if isinstance(protocol, ABCMeta) else frozenset()
    if lacking := sorted(required & lent):
        raise PluginPartError(f"{who}: lacks {', '.join(lacking)}")
    return frozenset(lent)


def _guard(member: object, who: str, name: str) -> object:
    """Return *member* guarded, as it is where it is no code."""
    passes = DECLARED.get(name, ())
    if isinstance(member, property) and member.fget is not None:
        return property(_call(member.fget, f"{who}: {name}", passes), member.fset, member.fdel)
    if isinstance(member, cached_property):
        return cached_property(_call(member.func, f"{who}: {name}", passes))
    where = f"{who}: {name}()"
    if isinstance(member, staticmethod | classmethod):
        return type(member)(_call(member.__func__, where, passes))
    if not isinstance(member, FunctionType):
        return member
    call = _call(member, where, passes)
    return _handing_out(call, who) if name in HANDS_OUT else call


def _handing_out(function: Callable[..., Any], who: str) -> Callable[..., Any]:
    @wraps(function)
    def hand_out(*args: Any, **kwargs: Any) -> Any:
        answer = function(*args, **kwargs)
        # What comes with trtmatrix stays as it is when a third party hands it out.
        return answer if type(answer).__module__.startswith("harness.") else guarded(answer, who)

    return hand_out


def _call(
    function: Callable[..., Any], where: str, passes: tuple[type[Exception], ...]
) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with blamed(where, passes):
            answer = function(*args, **kwargs)
        return _watched(answer, where, passes) if isinstance(answer, Generator) else answer

    return call


def _watched(
    answer: Generator[Any, Any, Any], where: str, passes: tuple[type[Exception], ...]
) -> Generator[Any, Any, Any]:
    with blamed(where, passes):
        return (yield from answer)
