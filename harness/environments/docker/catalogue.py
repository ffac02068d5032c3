"""The catalogue of images: recipes as data, one file a family, and what a version expression names in them.

A recipe is a TOML file of ``containers/recipes``, of the user's configuration folder, or of a folder in
``TRTMATRIX_RECIPES``. Its images stand in ``[[image]]`` tables or in a CSV table beside it.
``docs/reference/catalogue.md`` describes both.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import platformdirs

from harness.environments.docker.recipes import Choice, Image, Recipe
from harness.errors import BadOptionError, NoImageError, RecipeFileError
from harness.matrix.strict import Table, read_toml
from harness.resources import data_folder
from harness.versions import alternatives, ordered, parse, select

RECIPE_SCHEMA = "trtmatrix.recipe/1"
BASES = ("direct", "sibling", "community", "inferred", "stated")
_COLUMNS = {"tag", "version", "cuda", "cudnn", "ubuntu", "python", "driver", "datacenter_branches", "size_gb"}
_REQUIRED = {"tag", "version"}


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
            if self._stand_in(runtime, part):
                found.append(part)
                continue
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
        if (named := self._stand_in(runtime, version)) is not None:
            return Choice(named, None)
        serving = (r for r in self.recipes.values() if runtime in r.runtimes)
        open_ended = [r for r in serving if not r.images and not r.stand_in]
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

    def _stand_in(self, runtime: str, version: str) -> Recipe | None:
        recipe = self.recipes.get(version.partition("+")[2])
        return recipe if recipe is not None and recipe.stand_in and runtime in recipe.runtimes else None

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
        stand_in=top.get("stand_in", str, "") or "",
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
    def bad(problem: str) -> RecipeFileError:
        return RecipeFileError(path, problem, line=line, where=where)

    values = {k: v or "" for k, v in row.items() if isinstance(k, str)}
    for key in _REQUIRED:
        if not values.get(key):
            raise bad(f"'{key}' is missing")
    if None in row or parse(values["version"]) is None:
        problem = "has more columns than the header" if None in row else f"no version: {values['version']!r}"
        raise bad(problem)
    basis = values.get("basis") or "stated"
    if basis not in BASES:
        raise bad(f"unknown basis {basis!r}; known: {', '.join(BASES)}")
    try:
        size = float(values["size_gb"]) if values.get("size_gb") else None
    except ValueError:
        raise bad(f"'size_gb' is no number: {values['size_gb']!r}") from None
    known = {k: values.get(k, "") for k in _COLUMNS - {"tag", "size_gb"}}
    tag = values["tag"]
    rest = {k: v for k, v in values.items() if k not in _COLUMNS | {"basis"} and v}
    name = tag if not repository or _is_image(tag) else f"{repository}:{tag}"
    return Image(name=name, size_gb=size, basis=basis, details=rest, **known)


def _is_image(text: str) -> bool:
    return ":" in text or "/" in text
