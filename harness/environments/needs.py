"""What an environment has to know of a runtime to hold a version of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

Release = tuple[int, int]
"""Major and minor of a Python."""


class RuntimeNeeds(Protocol):
    """The part of a runtime that environments read; members with a value are its defaults."""

    environment_variables: Mapping[str, str] = MappingProxyType({})
    """Variables that the worker's process needs, by name."""

    complete_requirements: bool = False
    """Whether :meth:`requirements` names all there is to install; what these ask for is left out."""

    @property
    def name(self) -> str:
        """``tensorrt``, ``onnxruntime`` ..."""
        ...

    @property
    def device(self) -> str:
        """``cpu`` or ``gpu``: what a measurement occupies."""
        ...

    @property
    def environments(self) -> tuple[str, ...]:
        """Names of the environments that can hold it, the preferred one first."""
        ...

    def requirements(self, version: str, python: Release) -> Sequence[str]:
        """Return pip requirement strings for a virtual environment that holds *version*."""
        ...

    def pythons(self, version: str) -> tuple[Release, Release] | None:
        """Return the lowest and highest Python for which wheels of *version* exist, None if unknown."""
        ...
