"""Dockerfiles from templates, the digest of what goes into a build, and its context as an archive."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import jinja2

from harness.environments.docker.labels import KIND, RECIPE, RUNTIME, VERSION
from harness.environments.docker.recipes import Image, Recipe
from harness.errors import RecipeFileError
from harness.matrix.strict import Table, read_toml
from harness.resources import data_folder
from harness.versions import ordered, side_of

_DROPPED = frozenset({"__pycache__", "_virtualenv.py", "_virtualenv.pth"})  # uv puts the latter two there


def dockerfile(recipe: Recipe, runtime: str, version: str, **values: object) -> str:
    """Return the Dockerfile of *recipe*; a template beside the recipe's file wins over a built-in one.

    :param values: what the template needs: ``image`` and ``pins``, or ``base`` and ``requirements``
    :raises InputError: the template is missing or not what it should be
    """
    folders = [recipe.path.parent, data_folder("containers") / "templates"]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # a Dockerfile is no HTML
        keep_trailing_newline=True,
        trim_blocks=False,
    )
    labels = {KIND: "image", RECIPE: recipe.name, RUNTIME: runtime, VERSION: version}
    try:
        text = environment.get_template(recipe.template).render(
            labels=labels, python=recipe.python_command, **values
        )
    except jinja2.TemplateNotFound:
        raise RecipeFileError(
            recipe.path, f"there is no template '{recipe.template}'", where="template"
        ) from None
    except jinja2.TemplateError as error:
        line = error.lineno if isinstance(error, jinja2.TemplateSyntaxError) else None
        raise RecipeFileError(recipe.template, f"cannot be rendered: {error}", line=line) from None
    return text.rstrip("\n") + "\n"


def listed_dockerfile(recipe: Recipe, image: Image, runtime: str) -> str:
    """Return the Dockerfile that adds what the worker lacks to an image of the catalogue."""
    return dockerfile(recipe, runtime, image.version, image=image.name, pins=pins(image.likely_python))


@cache
def _all_pins() -> dict[str, dict[str, str]]:
    path = data_folder("containers") / "pins.toml"
    top = Table(path, "top level", read_toml(path))
    by_python = Table(path, "[python]", top.raw("python"))
    top.done()
    return {
        release: {
            name: str(value)
            for name, value in Table(path, f"[python.{release}]", by_python.raw(release)).as_dict().items()
        }
        for release in by_python.user_names()
    }


def pins(python: str) -> dict[str, str]:
    """Return package versions for *python* (``3.8``): those of the nearest older release that has some.

    :param python: empty where it is unknown: the oldest pins
    """
    known = ordered(_all_pins())
    fits = [release for release in known if side_of(python, release) in (0, 1)]
    return _all_pins()[fits[-1] if fits else known[0]]


def content_digest(*parts: str) -> str:
    """Return the digest under which an image is cached: over Dockerfile, base and everything copied in."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)}:{part}".encode())
    return digest.hexdigest()


def write_context(file: Path, text: str, trees: Mapping[str, Path]) -> None:
    """Write a build context: the Dockerfile and *trees* (name inside to folder), links followed.

    Times are fixed, so that one content is one layer.
    """
    with tarfile.open(file, mode="w", format=tarfile.GNU_FORMAT) as tar:
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(text.encode())
        tar.addfile(entry, io.BytesIO(text.encode()))
        for name, folder in trees.items():
            _add_tree(tar, name, folder)


def _add_tree(tar: tarfile.TarFile, name: str, folder: Path) -> None:
    top = tarfile.TarInfo(name)
    top.type, top.mode = tarfile.DIRTYPE, 0o755
    tar.addfile(top)
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if _DROPPED.intersection(relative.parts):
            continue
        entry = tarfile.TarInfo(f"{name}/{relative.as_posix()}")
        if path.is_dir():
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
            continue
        status = path.stat()
        entry.size = status.st_size
        entry.mode = 0o755 if status.st_mode & 0o111 else 0o644
        with path.open("rb") as source:
            tar.addfile(entry, source)
