"""What of a plan comes from where: the user's networks, a runtime's own fields, and the stored run."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace

import onnx
import pytest
from onnx import TensorProto, helper

from harness.errors import (
    BadOptionError,
    InputError,
    MatrixValueError,
    OptionsContradictError,
    UnknownNameError,
)
from harness.execution import budget
from harness.execution.plan import Choices, Plan, make_plan, network_name, own_network, stored_plan
from harness.matrix.file import MatrixFile
from harness.plugins import registry
from harness.store.documents.manifest import Matrix
from tests.execution.ground import Ground
from tests.execution.test_plan import matrix

TENSORFLOW = Path(__file__).parents[1] / "data" / "tensorflow"


def open_network(path: Path) -> Path:
    """Write a network of one ReLU whose height is open."""
    sizes = [1, 3, "H", 4]
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"], name="relu")],
        "open",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, sizes)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, sizes)],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(path))
    return path


def test_shapes_are_those_of_the_files_that_the_user_names(tmp_path: Path) -> None:
    own = open_network(tmp_path / "own.onnx")
    chosen = Choices(matrix=matrix(tmp_path, "local"), networks=(own,), shapes=("x=1x3x8x4",))
    plan = make_plan(chosen, registry.parts())
    assert plan.families["own"].graph(1, "clip").shapes["y"] == (1, 3, 8, 4)
    without = make_plan(replace(chosen, shapes=()), registry.parts())
    with pytest.raises(InputError, match="--shape"):
        without.families["own"].graph(1, "clip")
    with pytest.raises(BadOptionError, match=r"^--shape z=1x3x8x4: .*z"):
        make_plan(replace(chosen, shapes=("x=1x3x8x4", "z=1x3x8x4")), registry.parts())


def test_networks_of_the_matrix_file_have_no_shapes_of_the_command_line(tmp_path: Path) -> None:
    """Else a size meant for one network would settle another one's axes."""
    path, theirs = matrix(tmp_path, "local"), open_network(tmp_path / "theirs.onnx")
    text = path.read_text(encoding="utf-8") + f'[networks]\ntheirs = "{theirs}"\n'
    path.write_text(text, encoding="utf-8")
    own = open_network(tmp_path / "own.onnx")
    plan = make_plan(Choices(matrix=path, networks=(own,), shapes=("x=1x3x8x4",)), registry.parts())
    assert plan.families["own"].graph(1, "clip").digest
    with pytest.raises(InputError, match=r"theirs"):
        plan.families["theirs"].graph(1, "clip")


def test_a_single_file_is_read_with_the_shapes_given_to_it(tmp_path: Path) -> None:
    path = open_network(tmp_path / "my net.onnx")
    family = own_network(path, ["x=1x3x6x4"])
    assert (family.name, family.file, list(family.inputs)) == ("my_net", "my net.onnx", ["x"])
    assert family.graph(1, "clip").shapes["x"] == (1, 3, 6, 4)
    with pytest.raises(BadOptionError, match="--shape x=1x3x6x5"):
        own_network(path, ["x=1x3x6x5"])
    with pytest.raises(InputError):
        own_network(tmp_path / "none.onnx", [])


def test_a_graphdef_is_read_with_the_outputs_that_are_asked_for(tmp_path: Path) -> None:
    (file,) = sorted(TENSORFLOW.glob("*nhwc*.pb"))[:1]
    whole = own_network(file, [])
    assert whole.name == network_name(file)
    inner = whole.graph(2, "relu_sub").ops[1].output
    chosen = Choices(matrix=matrix(tmp_path, "local"), networks=(file,), outputs=(inner,))
    plan = make_plan(chosen, registry.parts())
    assert plan.families[whole.name].graph(2, "clip").outputs == (inner,)
    two = tmp_path / "two.pb"
    two.write_bytes(file.read_bytes())
    with pytest.raises(OptionsContradictError, match=r"^--output needs one GraphDef"):
        make_plan(replace(chosen, networks=(file, two)), registry.parts())


def test_a_field_that_a_runtime_brings_is_that_of_its_cells_alone(tmp_path: Path) -> None:
    path = tmp_path / "matrix.toml"
    path.write_text(
        """
schema = "trtmatrix.matrix/1"
[[versions]]
runtime = "tftrt"
versions = ["2.14.1"]
[[versions]]
runtime = "onnxruntime"
versions = ["1.22.1"]
[[block]]
networks = ["mobilenet_v2"]
converter = ["v1", "v2"]
""",
        encoding="utf-8",
    )
    plan = make_plan(Choices(matrix=path), registry.parts())
    own = [(cell.runtime, dict(cell.treatment.own).get("converter")) for cell in plan.cells]
    assert own == [("tftrt", "v1"), ("onnxruntime", "v1"), ("tftrt", "v2"), ("onnxruntime", "v2")]
    assert "-v2-" in plan.cells[2].id


def test_what_a_run_may_take_is_its_minutes_and_how_narrow_is_the_matrix_s(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(budget, "time", SimpleNamespace(monotonic=lambda: 1000.0))
    plan = Plan(MatrixFile(Path("m"), "", minutes=3.0, precision=0.02), (), {})
    assert (plan.budget(Choices()).left, plan.budget(Choices()).precision) == (180.0, 0.02)
    assert plan.budget(Choices(minutes=0.5)).left == 30.0
    assert plan.budget(Choices(quick=True)).left is None
    assert plan.budget(Choices(quick=True, minutes=2.0)).left == 120.0
    without = replace(plan, matrix=replace(plan.matrix, minutes=None))
    assert without.budget(Choices()).left is None


def test_a_stored_run_keeps_the_policy_that_it_was_made_with(ground: Ground) -> None:
    bundle = ground.bundle()
    said = Matrix(
        file="night.toml",
        description="nightly",
        text="# text",
        baseline="1.0",
        fail_on=("regressed",),
        material=0.25,
        open="pass",
        nights=3,
        anchors=("onnxruntime 1.18.1",),
    )
    bundle.update(matrix=said)
    bundle.save()
    plan = stored_plan(bundle.root)
    known = {field.name for field in fields(MatrixFile)} & set(Matrix.__struct_fields__)
    assert {name: getattr(plan.matrix, name) for name in known} == {
        name: getattr(said, name) for name in known
    }
    assert plan.matrix.path == Path("night.toml")
    assert (plan.families, plan.matrix.builds) == ({}, 1)


def test_a_fault_in_the_file_names_its_table(tmp_path: Path) -> None:
    path = matrix(tmp_path, "locl")
    with pytest.raises(MatrixValueError) as caught:
        make_plan(Choices(matrix=path), registry.parts())
    assert (caught.value.path, caught.value.where) == (str(path), "[run]")


def said_of(choices: Choices) -> str:
    with pytest.raises((OptionsContradictError, UnknownNameError, MatrixValueError)) as caught:
        make_plan(choices, registry.parts())
    return str(caught.value)


def test_options_that_contradict_are_answered_with_what_to_do(tmp_path: Path) -> None:
    plain = Choices(matrix=matrix(tmp_path, "local"))
    assert said_of(replace(plain, shapes=("x=1x3",))) == (
        "--shape needs an ONNX file, GraphDef or SavedModel, whose inputs it speaks of (--network)"
    )
    own = open_network(tmp_path / "own.onnx")
    for networks in ((), (own,)):
        assert said_of(replace(plain, outputs=("y",), networks=networks)) == (
            "--output needs one GraphDef or SavedModel, whose nodes it speaks of (--network)"
        )
    assert said_of(replace(plain, executor="local", address="auto")) == (
        "--address: executor 'local' has no cluster; leave it out, or say --executor ray"
    )


def test_an_executor_that_nobody_knows_is_answered_where_it_was_named(tmp_path: Path) -> None:
    plain = Choices(matrix=matrix(tmp_path, "local"))
    known = "known: local, ray"
    assert said_of(replace(plain, executor="zzz")) == f"--executor: no executor is called 'zzz'; {known}"
    path = matrix(tmp_path, "zzz")
    assert said_of(Choices(matrix=path)) == (
        f"{path}: [run]: key 'executor': no executor is called 'zzz'; {known}"
    )
    # An address means a cluster where nobody named an executor, neither the file nor the user.
    assert said_of(Choices(matrix=path, address="auto")).endswith(f"no executor is called 'zzz'; {known}")


def test_a_folder_lends_its_whole_name_to_a_network(tmp_path: Path) -> None:
    (tmp_path / "saved.model").mkdir()
    assert network_name(tmp_path / "saved.model") == "saved.model"
    assert network_name(tmp_path / "saved.pb") == "saved"
