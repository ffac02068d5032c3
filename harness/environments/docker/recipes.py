"""What a recipe and an image of the catalogue are, and what a version means of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

# Pythons of the Ubuntu releases, for the months whose Python no source states.
_UBUNTU_PYTHON = {"16.04": "3.5", "18.04": "3.6", "20.04": "3.8", "22.04": "3.10", "24.04": "3.12"}


@dataclass(frozen=True)
class Image:
    """One image of a recipe, as its sources describe it; empty strings are unknown.

    :param version: release of the runtime, as a cell names it
    :param driver: lowest NVIDIA driver
    :param datacenter_branches: older driver branches that are allowed on data-centre GPUs
    :param basis: how sure the row is: ``direct``, ``sibling``, ``community``, ``inferred``, ``stated`` (user)
    :param details: what else the table says (source, notes, TensorFlow version ...)
    """

    name: str
    version: str
    cuda: str = ""
    cudnn: str = ""
    ubuntu: str = ""
    python: str = ""
    driver: str = ""
    datacenter_branches: str = ""
    size_gb: float | None = None
    basis: str = "stated"
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def tag(self) -> str:
        """The part behind the last colon."""
        return self.name.rpartition(":")[2]

    @property
    def likely_python(self) -> str:
        """``major.minor`` of the stated Python, else of its Ubuntu release, else empty."""
        return ".".join(self.python.split(".")[:2]) or _UBUNTU_PYTHON.get(self.ubuntu, "")

    @property
    def needs(self) -> str:
        """CUDA, Python and driver in one line, with how sure it is; what is unknown is left out."""
        inside = {"TensorRT": self.details.get("tensorrt"), "TensorFlow": self.details.get("tensorflow")}
        known = {**inside, "CUDA": self.cuda, "Python": self.python, "driver": self.driver}
        words = ", ".join(f"{name} {value}" for name, value in known.items() if value)
        return f"{words} ({self.basis})"

    @property
    def tensorrt(self) -> str:
        """TensorRT inside: its own column in images of frameworks, the version elsewhere."""
        return self.details.get("tensorrt") or self.version.partition("+")[0]


@dataclass(frozen=True)
class Recipe:
    """One family of images.

    :param gpu: ``required`` or ``optional`` (requested only where a job names a device)
    :param base: base image of a template that installs wheels; empty: made from this machine's interpreter
    :param login: how to log in to the registry, for the message of a refused pull
    :param stand_in: of what it is a stand-in; such a recipe is taken only where ``VERSION+NAME`` asks for it
    """

    name: str
    path: Path
    runtimes: tuple[str, ...]
    template: str
    repository: str = ""
    python_command: str = "python3"
    gpu: str = "optional"
    base: str = ""
    size_gb: float = 1.0
    login: str = ""
    stand_in: str = ""
    images: tuple[Image, ...] = ()


@dataclass(frozen=True)
class Choice:
    """What a version means here: a recipe and, where the recipe lists images, one of them."""

    recipe: Recipe
    image: Image | None
