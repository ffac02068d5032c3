"""What is worked out of a record once: builds share graphs, and the parts of a page share engines."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar


class Remembers(Protocol):
    """A record that keeps what was worked out of it; one that is replaced or compared starts anew."""

    @property
    def _counted(self) -> dict[str, Any]: ...


K = TypeVar("K", bound=Remembers)
P = ParamSpec("P")
T = TypeVar("T")


def once_each(count: Callable[Concatenate[K, P], T]) -> Callable[Concatenate[K, P], T]:
    """Return *count* as a function that goes through each record the first time only.

    What it is given beside the record is what the record was made of: the same each time.
    """
    key = f"{count.__module__}.{count.__name__}"

    @wraps(count)
    def counted(record: K, /, *made_of: P.args, **more: P.kwargs) -> T:
        if key not in record._counted:
            record._counted[key] = count(record, *made_of, **more)
        made: T = record._counted[key]
        return made

    return counted
