"""The catalogue: built-in recipes, a user's own, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.environments.docker.catalogue import BASES, catalogue, load, read_recipe
from harness.environments.docker.context import dockerfile
from harness.errors import InputError, UsageError
from harness.resources import data_folder
from harness.versions import parse

_MINE = """
schema = "trtmatrix.recipe/1"
runtimes = ["tensorrt"]
repository = "registry.example/team/trt"
gpu = "required"
[[image]]
tag = "2026-01"
version = "8.6.1.6"
python = "3.10"
driver = "530"
"""


def test_every_built_in_image_has_a_version_a_known_basis_and_a_name_of_its_own() -> None:
    images = [image for recipe in catalogue().recipes.values() for image in recipe.images]

    assert len(images) == len({image.name for image in images}) > 200
    assert all(parse(image.version) is not None for image in images)
    assert {image.basis for image in images} <= set(BASES)
    assert all(image.name.startswith("nvcr.io/nvidia/") for image in images)


def test_a_stand_in_is_taken_only_where_a_version_names_it_and_says_that_it_is_none_of_ngc() -> None:
    known = catalogue()
    named = "8.5.3.1+stand-in-2022"

    assert known.resolve("tensorrt", named) == [named]
    chosen = known.choose("tensorrt", named)
    assert (chosen.recipe.name, chosen.image) == ("stand-in-2022", None)
    assert not any("stand-in" in version for version in known.resolve("tensorrt", ">=5,<12"))
    assert known.choose("tensorrt", "8.5.3.1").image is not None
    with pytest.raises(UsageError, match=r"no image holds tensorrt 8\.5\.9"):
        known.choose("tensorrt", "8.5.9")
    with pytest.raises(UsageError):
        known.resolve("tensorrt", "8.5+stand-in-1999")


@pytest.mark.parametrize("name", ["stand-in-2019", "stand-in-2022"])
def test_the_image_of_a_stand_in_carries_a_label_and_prints_a_banner_that_say_so(name: str) -> None:
    recipe = catalogue().recipes[name]

    text = dockerfile(
        recipe, "tensorrt", f"8.5.3.1+{name}", base="base:1", requirements=["tensorrt==8.5.3.1"]
    )

    assert 'io.trtmatrix.stand-in="stand-in, not NGC"' in text
    assert "ENTRYPOINT" in text
    assert "(stand-in, not NGC)" in text.partition("ENTRYPOINT")[2]
    assert "VERSION=8.5.3.1 " in text


def test_the_images_reach_from_tensorrt_5_0_to_11_2_and_begin_in_18_09() -> None:
    versions = catalogue().versions("tensorrt")

    assert (versions[0], versions[-1]) == ("5.0.0rc", "11.2.1.2")
    assert min(image.tag for _, image in catalogue().images("tensorrt")) == "18.09-py3"


@pytest.mark.parametrize(
    ("said", "versions", "images"),
    [
        ("5", ["5.1.5"], ["tensorrt:19.08-py3"]),
        ("6", ["6.0.1"], ["tensorrt:19.12-py3"]),
        ("7.1", ["7.1.3"], ["tensorrt:20.09-py3"]),
        ("8.5.3.1", ["8.5.3.1"], ["tensorrt:23.02-py3"]),
        ("latest", ["11.2.1.2"], ["tensorrt:26.08-py3"]),
        ("nvcr.io/nvidia/tensorrt:19.09-py3", ["6.0.1+19.09-py3"], ["tensorrt:19.09-py3"]),
        ("tensorrt:19.12-py3", ["6.0.1"], ["tensorrt:19.12-py3"]),
    ],
)
def test_an_expression_names_versions_and_each_version_an_image(
    said: str, versions: list[str], images: list[str]
) -> None:
    found = catalogue().resolve("tensorrt", said)
    chosen = [catalogue().choose("tensorrt", version).image for version in found]

    assert found == versions
    assert [image.name for image in chosen if image] == [f"nvcr.io/nvidia/{name}" for name in images]


def test_tf_trt_versions_tell_the_tensorflow_lines_apart() -> None:
    assert catalogue().resolve("tftrt", "7.0") == ["7.0.0+tf1", "7.0.0+tf2"]
    chosen = catalogue().choose("tftrt", "7.0.0+20.01-tf1-py3").image
    assert chosen is not None
    assert chosen.name == "nvcr.io/nvidia/tensorflow:20.01-tf1-py3"
    assert chosen.tensorrt == "7.0.0"


def test_a_runtime_that_lives_in_wheels_takes_any_version() -> None:
    choice = catalogue().choose("onnxruntime", "1.18.1")

    assert choice.image is None
    assert choice.recipe.template == "wheels.Dockerfile.j2"
    assert catalogue().resolve("onnxruntime", "1.18.1") == ["1.18.1"]


def test_a_python_that_no_source_states_follows_from_the_ubuntu_release() -> None:
    by_tag = {image.tag: image for _, image in catalogue().images("tensorrt")}

    assert by_tag["19.05-py3"].python == ""
    assert by_tag["19.05-py3"].likely_python == "3.5"
    assert by_tag["19.07-py3"].likely_python == "3.6"
    assert by_tag["23.01-py3"].likely_python == "3.8"


def test_one_file_of_a_user_adds_a_version_and_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.toml").write_text(_MINE)
    monkeypatch.setenv("TRTMATRIX_RECIPES", str(tmp_path))

    chosen = catalogue().choose("tensorrt", "8.6.1.6+2026-01")

    assert chosen.image is not None
    assert chosen.image.name == "registry.example/team/trt:2026-01"
    assert chosen.image.basis == "stated"
    assert catalogue().resolve("tensorrt", "registry.example/team/trt:2026-01") == ["8.6.1.6+2026-01"]


def test_unknown_versions_images_and_runtimes_are_named() -> None:
    with pytest.raises(UsageError, match=r"no image holds tensorrt 9\.9"):
        catalogue().choose("tensorrt", "9.9")
    with pytest.raises(UsageError, match=r"tensorrt:30\.01-py3. is in no recipe"):
        catalogue().resolve("tensorrt", "nvcr.io/nvidia/tensorrt:30.01-py3")
    with pytest.raises(UsageError, match="no recipe makes a container for tvm"):
        catalogue().choose("tvm", "1")


def test_a_folder_of_recipes_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRTMATRIX_RECIPES", "/no/such/folder")

    with pytest.raises(UsageError, match="TRTMATRIX_RECIPES names '/no/such/folder'"):
        catalogue()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("trtmatrix.recipe/1", "trtmatrix.recipe/9", "expected 'trtmatrix.recipe/1'"),
        ('gpu = "required"', 'gpu = "maybe"', "expected 'required' or 'optional', found 'maybe'"),
        ('gpu = "required"', 'gpus = "required"', "unknown key 'gpus'; did you mean 'gpu'?"),
        ('runtimes = ["tensorrt"]', "runtimes = []", "key 'runtimes': is missing"),
        ('tag = "2026-01"', "", "[[image]] 1: 'tag' is missing"),
        ('version = "8.6.1.6"', 'version = "eight"', "no version: 'eight'"),
        ('driver = "530"', 'basis = "rumour"', "unknown basis 'rumour'; known: direct"),
        ('driver = "530"', 'size_gb = "big"', "'size_gb' is no number: 'big'"),
        ("[[image]]", "[image]", "expected [[image]] tables"),
        ('gpu = "required"', 'table = "gone.csv"', "the table of mine.toml cannot be read"),
    ],
)
def test_a_recipe_with_a_mistake_names_file_and_place(tmp_path: Path, old: str, new: str, words: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(_MINE.replace(old, new))

    with pytest.raises(InputError) as error:
        read_recipe(file)

    assert str(tmp_path) in str(error.value)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_a_mistake_in_a_csv_table_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(_MINE.partition("[[image]]")[0] + 'table = "mine.csv"\n')
    (tmp_path / "mine.csv").write_text("tag,version\na,1.0\nb,\n")

    with pytest.raises(InputError) as error:
        load([tmp_path])

    assert str(error.value) == f"{tmp_path / 'mine.csv'}:3: 'version' is missing"


def test_the_matrix_for_ngc_takes_the_newest_image_of_each_major_release() -> None:
    from harness.matrix.file import read_matrix

    (block,) = read_matrix(data_folder("suites") / "ngc.toml").versions
    found = [v for said in block.versions for v in catalogue().resolve(block.runtime, said)]

    assert [version.partition(".")[0] for version in found] == ["5", "6", "7", "8", "10", "11"]
    assert block.environments == ("docker",)
