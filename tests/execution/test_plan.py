"""What a run will measure: the user's choices over the matrix file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import BadOptionError, InputError, NoSuchFileError, OptionsContradictError, UsageError
from harness.execution.inputs import InputStore
from harness.execution.plan import (
    Choices,
    Plan,
    above_zero,
    default_matrix,
    is_matrix,
    make_plan,
    matrix_path,
    network_name,
    stored_plan,
    suites,
)
from harness.matrix.cell import CELL_ID
from harness.matrix.file import MatrixFile
from harness.plugins import registry
from harness.store.documents.build import Build
from harness.store.documents.manifest import Matrix
from tests.execution.ground import Ground

MATRIX = """
schema = "trtmatrix.matrix/1"
[run]
executor = "{executor}"
[[versions]]
runtime = "onnxruntime"
versions = ["1.22.1"]
[[block]]
networks = ["mobilenet_v2"]
"""


def matrix(folder: Path, executor: str) -> Path:
    path = folder / "matrix.toml"
    path.write_text(MATRIX.format(executor=executor), encoding="utf-8")
    return path


def test_the_executor_is_the_file_s_unless_the_user_names_one(tmp_path: Path) -> None:
    path = matrix(tmp_path, "local")
    assert make_plan(Choices(matrix=path), registry.parts()).executor == "local"
    path = matrix(tmp_path, "elsewhere")
    assert make_plan(Choices(matrix=path, executor="local"), registry.parts()).executor == "local"


def test_an_executor_that_nobody_registers_is_refused_where_it_was_named(tmp_path: Path) -> None:
    path = matrix(tmp_path, "locl")
    with pytest.raises(InputError, match=r"\[run\]: key 'executor': .*'locl'; did you mean 'local'"):
        make_plan(Choices(matrix=path), registry.parts())
    with pytest.raises(UsageError, match=r"--executor: no executor is called 'rya'; did you mean 'ray'"):
        make_plan(Choices(matrix=path, executor="rya"), registry.parts())


def test_an_address_is_that_of_a_cluster(tmp_path: Path) -> None:
    path = matrix(tmp_path, "local")
    plan = make_plan(Choices(matrix=path, address="ray://host:10001"), registry.parts())
    assert (plan.executor, plan.address) == ("ray", "ray://host:10001")
    with pytest.raises(OptionsContradictError, match="executor 'local' has no cluster"):
        make_plan(Choices(matrix=path, executor="local", address="auto"), registry.parts())


@pytest.mark.parametrize(
    ("choices", "rounds"),
    [
        (Choices(), 5),
        (Choices(quick=True), 2),
        (Choices(builds=9), 9),
        (Choices(builds=9, quick=True), 9),
    ],
)
def test_builds_are_the_file_s_unless_the_user_says_how_many(choices: Choices, rounds: int) -> None:
    plan = Plan(MatrixFile(Path("m"), "", builds=5, quick_builds=2), (), {})
    assert plan.rounds(choices) == rounds


def test_without_a_file_the_default_matrix_is_planned() -> None:
    plan = make_plan(Choices(), registry.parts())
    assert plan.matrix.path == default_matrix()
    assert plan.cells
    assert {cell.network for cell in plan.cells} <= set(plan.families)


def test_a_quick_run_leaves_out_what_the_matrix_says_and_takes_no_further_time() -> None:
    whole, quick = (make_plan(Choices(quick=quick), registry.parts()) for quick in (False, True))
    left = [cell for cell in whole.cells if cell.network == "mobilenet_v2" and cell.treatment.relu6 == "clip"]
    assert list(quick.cells) == left
    assert quick.rounds(Choices(quick=True)) == 3
    assert whole.budget(Choices()).share(1, 0.0, 0) > 0
    assert quick.budget(Choices(quick=True)).share(1, 0.0, 0) == 0
    assert quick.budget(Choices(quick=True, minutes=1.0)).share(1, 0.0, 0) > 0


@pytest.mark.parametrize("baseline", ["previous", "1.22.1", "onnxruntime 1.22.1"])
def test_a_baseline_that_cells_can_be_compared_with_is_taken(tmp_path: Path, baseline: str) -> None:
    path = matrix(tmp_path, "local")
    policy = f'[policy]\nbaseline = "{baseline}"\n'
    path.write_text(path.read_text(encoding="utf-8") + policy, encoding="utf-8")
    assert make_plan(Choices(matrix=path), registry.parts()).matrix.baseline == baseline


def test_a_baseline_that_is_no_version_of_the_matrix_is_named_before_anything_is_measured(
    tmp_path: Path,
) -> None:
    path = matrix(tmp_path, "local")
    path.write_text(path.read_text(encoding="utf-8") + '[policy]\nbaseline = "9.9"\n', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        make_plan(Choices(matrix=path), registry.parts())
    assert caught.value.where == "[policy] baseline"
    assert caught.value.problem == "'9.9' is no version here; say 'previous' or one of 1.22.1"
    assert caught.value.path == str(path)


def test_networks_that_the_user_names_stand_in_place_of_the_matrix_s_own(
    ground: Ground, tmp_path: Path
) -> None:
    made = InputStore(tmp_path / "inputs", ground.plan.families, seed=1).get(ground.cells[0])
    own = tmp_path / "my net-2.onnx"
    own.write_bytes(made.onnx(13).read_bytes())
    plan = make_plan(Choices(matrix=matrix(tmp_path, "local"), networks=(own,)), registry.parts())
    assert {cell.network for cell in plan.cells} == {"my_net_2"}
    assert plan.families["my_net_2"].graph(1, "clip").digest
    assert "mobilenet_v2" in plan.families, "the others can still be named"


def test_a_network_that_cannot_be_read_is_named_before_anything_is_measured(tmp_path: Path) -> None:
    own = tmp_path / "own.onnx"
    onnx.save(onnx.ModelProto(), str(own))
    with pytest.raises(InputError, match=r"own\.onnx"):
        make_plan(Choices(matrix=matrix(tmp_path, "local"), networks=(own,)), registry.parts())


@given(st.text(min_size=1, max_size=20).filter(lambda name: "/" not in name and name.strip(".")))
def test_a_network_s_name_is_fit_for_a_cell_s_id(stem: str) -> None:
    name = network_name(Path(stem + ".onnx"))
    assert name
    assert all(c.isalnum() or c in "_." for c in name)
    assert name.isascii() is False or CELL_ID.fullmatch(name)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("net.onnx", "net"),
        ("my net-2.onnx", "my_net_2"),
        ("v1.2.onnx", "v1.2"),
        ("_.hidden.onnx", "hidden"),
        ("---.onnx", "network"),
    ],
)
def test_a_network_is_called_after_its_file(file: str, name: str) -> None:
    assert network_name(Path("folder") / file) == name


def test_the_plan_of_a_stored_run_is_what_it_was_made_from(ground: Ground, tmp_path: Path) -> None:
    bundle = ground.bundle()
    said = Matrix(
        file="night.toml", text="# text", description="nightly", baseline="1.0", fail_on=("regressed",)
    )
    bundle.update(matrix=said)
    for number in (0, 2):
        files = tmp_path / f"build-{number}"
        files.mkdir()
        bundle.put_build(files, Build(cell=ground.cells[1].id, build=number, status="failed", reason="died"))
    bundle.save()
    plan = stored_plan(bundle.root)
    assert plan.cells == tuple(ground.cells)
    assert plan.matrix == MatrixFile(
        path=Path("night.toml"),
        text="# text",
        description="nightly",
        builds=3,
        baseline="1.0",
        fail_on=("regressed",),
    )


def test_a_stored_run_that_says_nothing_of_a_matrix_has_the_usual_policy(ground: Ground) -> None:
    plan = stored_plan(ground.bundle().root)
    assert plan.matrix == replace(MatrixFile(Path("recorded"), "", builds=1), fail_on=(), baseline="previous")


@pytest.mark.parametrize(("said", "value"), [(None, None), ("2", 2.0), ("0.5", 0.5), ("1e3", 1000.0)])
def test_a_number_above_zero_is_taken(said: str | None, value: float | None) -> None:
    assert above_zero(said, "--minutes") == value


@pytest.mark.parametrize("said", ["0", "-1", "inf", "nan", "soon", ""])
def test_another_is_refused_by_its_option(said: str) -> None:
    with pytest.raises(BadOptionError, match=f"^--minutes: expected a number above 0, found '{said}'$"):
        above_zero(said, "--minutes")


def test_a_matrix_is_a_file_or_one_that_comes_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "own"
    own.write_text("", encoding="utf-8")
    (tmp_path / "tensorrt_core").mkdir()
    for name, known in (
        (str(own), True),
        ("none.toml", True),
        ("default", True),
        ("nothing", False),
        ("tensorrt_core", False),  # a folder of that name: a run, say
    ):
        assert is_matrix(Path(name)) is known, name


def test_a_matrix_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert matrix_path(None) == matrix_path(Path("default")) == default_matrix()
    assert matrix_path(Path("tensorrt_core")) == suites()["tensorrt_core"]
    for own in (Path("none.toml"), Path("some/default")):
        assert matrix_path(own) == own, "read as it is, and missed where it is read"
    (tmp_path / "default").write_text("", encoding="utf-8")
    assert matrix_path(Path("default")) == Path("default"), "one's own comes first"
    with pytest.raises(
        NoSuchFileError, match="no suite of that name comes along; did you mean 'tensorrt_core'"
    ):
        matrix_path(Path("tensorrt_cor"))
    with pytest.raises(NoSuchFileError, match=r"; these come along: .*default"):
        matrix_path(Path("zzzzzz"))


@pytest.mark.parametrize(
    ("choices", "option"), [(Choices(shapes=("x=1x3",)), "--shape"), (Choices(outputs=("z",)), "--output")]
)
def test_what_speaks_of_a_network_needs_one(tmp_path: Path, choices: Choices, option: str) -> None:
    path = matrix(tmp_path, "local")
    with pytest.raises(OptionsContradictError, match=f"^{option} needs "):
        make_plan(replace(choices, matrix=path), registry.parts())
