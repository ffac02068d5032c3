"""What an environment has to know of a runtime to hold a version of it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

Release = tuple[int, int]
"""Major and minor of a Python."""


@dataclass(frozen=True)
class WorkerSource:
    """The worker that a runtime brings: what is copied into an environment beside the shared frame.

    :param module: dotted name that the frame imports it by, inside; its parents are empty packages there
    :param path: a package's folder, or a file; Python 3.5 syntax where old images are to run it
    :param uses: workers of other runtimes that it imports from, which come along
    """

    module: str
    path: Path
    uses: tuple[WorkerSource, ...] = ()

    def all(self) -> Iterator[WorkerSource]:
        """Yield it and what it uses, and what that uses."""
        yield self
        for one in self.uses:
            yield from one.all()


class RuntimeNeeds(Protocol):
    """The part of a runtime that environments read; members with a value are its defaults."""

    environment_variables: Mapping[str, str] = MappingProxyType({})
    """Variables that the worker's process needs, by name."""

    complete_requirements: bool = False
    """Whether :meth:`requirements` names all there is to install; what these ask for is left out."""

    @property
    @abstractmethod
    def name(self) -> str:
        """``tensorrt``, ``onnxruntime`` ..."""
        ...

    @property
    @abstractmethod
    def device(self) -> str:
        """``cpu`` or ``gpu``: what a measurement occupies."""
        ...

    @property
    @abstractmethod
    def worker(self) -> WorkerSource:
        """What builds and runs its engines inside the environment (see ``worker-protocol.md``)."""
        ...

    @property
    @abstractmethod
    def environments(self) -> tuple[str, ...]:
        """Names of the environments that can hold it, the preferred one first."""
        ...

    def device_of(self, version: str) -> str:  # noqa: ARG002
        """Return what a measurement of *version* occupies, :attr:`device` where all versions do alike."""
        return self.device

    def measures_on_gpu(self, version: str) -> bool:
        """Say whether *version* measures on a GPU where there is one, whatever this machine has."""
        return self.device_of(version) == "gpu"

    def opened_libraries(self, version: str) -> Sequence[str]:  # noqa: ARG002
        """Return sonames that *version* opens by name and never calls: placeholders suffice in a pack."""
        return ()

    def library_folders(self, version: str) -> Sequence[str]:  # noqa: ARG002
        """Return the folders in the site-packages of *version* that the loader does not find by itself."""
        return ()

    def stub_libraries(self, version: str) -> Mapping[str, Mapping[str, int]]:  # noqa: ARG002
        """Return soname to functions and their answers, of libraries that *version* asks and no wheel has.

        A stub lets what only asks go on; nothing computes with it.
        """
        return {}

    def distribution(self, version: str) -> str:  # noqa: ARG002
        """Return the name of the distribution that carries *version*: by default the runtime's own name."""
        return self.name

    def installed_version(self, version: str) -> str | None:
        """Return the version that the running interpreter holds where *version* is asked for, None without.

        By default the one of :meth:`distribution`; a runtime that is no distribution knows better.
        """
        try:
            return metadata.version(self.distribution(version))
        except metadata.PackageNotFoundError:
            return None

    def requirements(self, version: str, python: Release) -> Sequence[str]:  # noqa: ARG002
        """Return pip requirement strings for a virtual environment that holds *version*."""
        return ()

    def pythons(self, version: str) -> tuple[Release, Release] | None:  # noqa: ARG002
        """Return the lowest and highest Python for which wheels of *version* exist, None if unknown."""
        return None
