"""Every Dockerfile that the recipes give: complete, pinned, and accepted by a linter."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.environments.docker.catalogue import catalogue
from harness.environments.docker.context import dockerfile, listed_dockerfile, pins
from harness.errors import InputError


def _rendered() -> dict[str, str]:
    """Return a name and a Dockerfile for each image of each recipe."""
    found = {}
    for recipe in catalogue().recipes.values():
        for image in recipe.images:
            found[f"{recipe.name}-{image.tag}"] = listed_dockerfile(recipe, image, recipe.runtimes[0])
        if not recipe.images:
            found[recipe.name] = dockerfile(recipe, "onnxruntime", "1", base="b:1", requirements=["a==1"])
    return found


def test_every_recipe_renders_with_its_image_and_exact_pins() -> None:
    for name, text in _rendered().items():
        assert len(re.findall(r"^FROM \S+:\S+$", text, re.MULTILINE)) == 1, name
        assert "{{" not in text
        assert "{%" not in text
        assert 'io.trtmatrix.kind="image"' in text
        for package in re.findall(r"pip install --no-cache-dir \S+", text):
            assert "==" in package, (name, package)


def test_pins_are_those_of_the_python_or_the_nearest_older_one() -> None:
    assert pins("3.5") == {"numpy": "1.18.5", "pycuda": "2019.1.2"}
    assert pins("3.9") == pins("3.8")
    assert pins("3.13") == pins("3.12")
    assert pins("") == pins("3.5")


def test_a_linter_accepts_every_dockerfile(tmp_path: Path) -> None:
    linter = shutil.which("hadolint") or shutil.which("dockerfilelint")
    if linter is None:
        pytest.skip("neither hadolint nor dockerfilelint is on PATH")
    files = []
    for number, text in enumerate(sorted(set(_rendered().values()))):
        files.append(tmp_path / str(number) / "Dockerfile")
        files[-1].parent.mkdir()
        files[-1].write_text(text)
    (tmp_path / ".dockerfilelintrc").write_text(json.dumps({"rules": {}}))

    answer = subprocess.run([linter, *map(str, files)], capture_output=True, text=True, cwd=tmp_path)

    assert answer.returncode == 0, answer.stdout[-2000:]


def test_a_template_that_is_missing_or_torn_is_named(tmp_path: Path) -> None:
    from dataclasses import replace

    recipe = replace(catalogue().recipes["wheels"], path=tmp_path / "mine.toml", template="mine.j2")
    with pytest.raises(InputError, match=r"there is no template 'mine\.j2'"):
        dockerfile(recipe, "onnxruntime", "1")
    (tmp_path / "mine.j2").write_text("FROM x\n{% if %}\n")
    with pytest.raises(InputError, match=r"mine\.j2:2: cannot be rendered"):
        dockerfile(recipe, "onnxruntime", "1")
