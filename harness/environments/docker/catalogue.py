"""The catalogue of images: recipes as data, one file a family, and what a version expression names in them.

A recipe is a TOML file of ``containers/recipes``, of the user's configuration folder, or of a folder in
``TRTMATRIX_RECIPES``. Its images stand in ``[[image]]`` tables or in a CSV table beside it.
``docs/reference/catalogue.md`` describes both.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import platformdirs

from harness.errors import BadOptionError, NoImageError, RecipeFileError
from harness.matrix.strict import Table, read_toml
from harness.resources import data_folder
from harness.versions import alternatives, ordered, parse, select

RECIPE_SCHEMA = "trtmatrix.recipe/1"
BASES = ("direct", "sibling", "community", "inferred", "stated")
_COLUMNS = {"tag", "version", "cuda", "cudnn", "ubuntu", "python", "driver", "datacenter_branches", "size_gb"}
_REQUIRED = {"tag", "version"}
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
    images: tuple[Image, ...] = ()


@dataclass(frozen=True)
class Choice:
    """What a version means here: a recipe and, where the recipe lists images, one of them."""

    recipe: Recipe
    image: Image | None


class Catalogue:
    """All recipes; a later folder's recipe of the same name replaces an earlier one."""

    def __init__(self, recipes: Iterable[Recipe]) -> None:
        self.recipes: dict[str, Recipe] = {recipe.name: recipe for recipe in recipes}

    def images(self, runtime: str) -> list[tuple[Recipe, Image]]:
        """Return images that hold *runtime*, oldest version first, tags of one version in their order."""
        found = [(r, i) for r in self.recipes.values() if runtime in r.runtimes for i in r.images]
        rank = {v: n for n, v in enumerate(ordered([i.version for _, i in found]))}
        return sorted(found, key=lambda pair: (rank[pair[1].version], pair[1].tag))

    def versions(self, runtime: str) -> list[str]:
        """Return the versions of *runtime* that images are known for, oldest first."""
        return ordered([image.version for _, image in self.images(runtime)])

    def resolve(self, runtime: str, said: str) -> Sequence[str]:
        """Return the versions that *said* names; itself where no recipe lists images of *runtime*.

        An image named outright becomes ``VERSION+TAG`` unless it is the one its version means anyway.

        :raises UsageError: nothing fits
        """
        known = self.versions(runtime)
        if not known:
            return [said]
        found: list[str] = []
        for part in alternatives(said):
            found.extend([self._named(runtime, part)] if _is_image(part) else select(part, known))
        return ordered(found)

    def choose(self, runtime: str, version: str) -> Choice:
        """Return recipe and image for *version*: the newest tag that holds it, or the tag behind ``+``.

        :raises UsageError: no recipe serves *runtime*, or none has *version*
        """
        base, _, tag = version.partition("+")
        listed = self.images(runtime)
        for recipe, image in reversed(listed):
            if image.version == version or (image.tag == tag and image.version.partition("+")[0] == base):
                return Choice(recipe, image)
        open_ended = [r for r in self.recipes.values() if runtime in r.runtimes and not r.images]
        if open_ended:
            return Choice(open_ended[-1], None)
        if not listed:
            raise NoImageError(
                f"no recipe makes a container for {runtime}; add one (docs/reference/catalogue.md) or use "
                "the environment venv"
            )
        raise NoImageError(
            f"no image holds {runtime} {version}; 'trtmatrix list versions' shows those that do, a recipe "
            "file adds another"
        )

    def name_of(self, runtime: str, image: Image) -> str:
        """Return how a cell names *image*: its version, and its tag where that means another."""
        if self.choose(runtime, image.version).image == image:
            return image.version
        return f"{image.version.partition('+')[0]}+{image.tag}"

    def _named(self, runtime: str, name: str) -> str:
        for recipe, image in self.images(runtime):
            if name in (image.name, f"{recipe.repository.rpartition('/')[2]}:{image.tag}"):
                return self.name_of(runtime, image)
        raise NoImageError(
            f"the image '{name}' is in no recipe for {runtime}, so its version is unknown; "
            "state it in a recipe file (docs/reference/catalogue.md)"
        )


def recipe_folders() -> list[Path]:
    """Return the folders of recipes: the built-in one, the user's, those of ``TRTMATRIX_RECIPES``."""
    named = [Path(p) for p in os.environ.get("TRTMATRIX_RECIPES", "").split(os.pathsep) if p]
    for folder in named:
        if not folder.is_dir():
            raise BadOptionError(f"TRTMATRIX_RECIPES names '{folder}', which is no folder")
    own = platformdirs.user_config_path("trtmatrix") / "recipes"
    return [data_folder("containers") / "recipes", *([own] if own.is_dir() else []), *named]


def load(folders: Sequence[Path]) -> Catalogue:
    """Read every ``*.toml`` of *folders*.

    :raises InputError: a recipe is not what it should be
    """
    return Catalogue(read_recipe(path) for folder in folders for path in sorted(folder.glob("*.toml")))


@cache
def _cached(folders: tuple[Path, ...]) -> Catalogue:
    return load(folders)


def catalogue() -> Catalogue:
    """Return the catalogue of this process."""
    return _cached(tuple(recipe_folders()))


def read_recipe(path: Path) -> Recipe:
    """Read one recipe.

    :raises InputError: names file, table and key, or line of the CSV table
    """
    top = Table(path, "top level", read_toml(path))
    schema = top.get("schema", str, required=True)
    if schema != RECIPE_SCHEMA:
        raise top.error("schema", f"expected {RECIPE_SCHEMA!r}, found {schema!r}")
    repository = top.get("repository", str, "") or ""
    gpu = top.get("gpu", str, "optional") or "optional"
    if gpu not in ("required", "optional"):
        raise top.error("gpu", f"expected 'required' or 'optional', found {gpu!r}")
    table = top.get("table", str)
    size = top.get("size_gb", float, 1.0)
    recipe = Recipe(
        name=path.stem,
        path=path,
        runtimes=top.names("runtimes"),
        template=top.get("template", str, "ngc.Dockerfile.j2") or "",
        repository=repository,
        python_command=top.get("python_command", str, "python3") or "python3",
        gpu=gpu,
        base=top.get("base", str, "") or "",
        size_gb=size if size is not None else 1.0,
        login=top.get("login", str, "") or "",
        images=(*_inline(path, repository, top.raw("image")), *_tabled(path, repository, table)),
    )
    top.done()
    if not recipe.runtimes:
        raise top.error("runtimes", "is missing")
    return recipe


def _inline(path: Path, repository: str, data: object) -> list[Image]:
    if data is None:
        return []
    if not isinstance(data, list):
        raise RecipeFileError(path, "expected [[image]] tables", where="[image]")
    found = []
    for number, item in enumerate(data, start=1):
        where = f"[[image]] {number}"
        row = {k: str(v) for k, v in Table(path, where, item).as_dict().items()}
        found.append(_image(path, repository, row, where=where))
    return found


def _tabled(path: Path, repository: str, table: str | None) -> list[Image]:
    if table is None:
        return []
    file = path.parent / table
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            return [_image(file, repository, row, line=reader.line_num) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RecipeFileError(file, f"the table of {path.name} cannot be read: {error}") from None


def _image(
    path: Path,
    repository: str,
    row: Mapping[str, str | None],
    *,
    line: int | None = None,
    where: str | None = None,
) -> Image:
    values = {k: v or "" for k, v in row.items() if isinstance(k, str)}
    for key in _REQUIRED:
        if not values.get(key):
            raise RecipeFileError(path, f"'{key}' is missing", line=line, where=where)
    if None in row or parse(values["version"]) is None:
        problem = "has more columns than the header" if None in row else f"no version: {values['version']!r}"
        raise RecipeFileError(path, problem, line=line, where=where)
    basis = values.get("basis") or "stated"
    if basis not in BASES:
        raise RecipeFileError(
            path, f"unknown basis {basis!r}; known: {', '.join(BASES)}", line=line, where=where
        )
    try:
        size = float(values["size_gb"]) if values.get("size_gb") else None
    except ValueError:
        raise RecipeFileError(
            path, f"'size_gb' is no number: {values['size_gb']!r}", line=line, where=where
        ) from None
    known = {k: values.get(k, "") for k in _COLUMNS - {"tag", "size_gb"}}
    tag = values["tag"]
    rest = {k: v for k, v in values.items() if k not in _COLUMNS | {"basis"} and v}
    name = tag if not repository or _is_image(tag) else f"{repository}:{tag}"
    return Image(name=name, size_gb=size, basis=basis, details=rest, **known)


def _is_image(text: str) -> bool:
    return ":" in text or "/" in text
