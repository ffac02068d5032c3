"""What is worked out of a record once: builds share graphs, and the parts of a page share engines."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol, TypeVar


class Remembers(Protocol):
    """A record that keeps what was worked out of it; one that is replaced or compared starts anew."""

    @property
    def _counted(self) -> dict[str, Any]: ...


K = TypeVar("K", bound=Remembers)
T = TypeVar("T")


def once_each(count: Callable[[K], T]) -> Callable[[K], T]:
    """Return *count* as a function that goes through each record the first time only."""
    key = f"{count.__module__}.{count.__name__}"

    @wraps(count)
    def counted(record: K) -> T:
        if key not in record._counted:
            record._counted[key] = count(record)
        made: T = record._counted[key]
        return made

    return counted
