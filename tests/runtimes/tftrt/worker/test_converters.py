"""The converters' calls, on stand-ins of each TensorFlow that take the words of its wheel and no others.

On the Python of those releases where it is here: the calls of 1.x were held to these, and never run by us.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from harness.environments.installer import Plan, python_of
from harness.environments.pythons import find_python
from harness.environments.staging import copy_worker
from harness.environments.venv import make
from harness.errors import UnavailableError
from harness.runtimes.tftrt.runtime import TFTRT

RELEASES: dict[str, dict[str, dict[str, list[str]]]] = json.loads(
    (Path(__file__).parents[3] / "data/runtimes/tftrt/converters.json").read_text(encoding="utf-8")
)
PROGRAM = """
import json, sys
from harness.runtimes.tensorflow.worker.running import Frozen
from harness.runtimes.tftrt.worker.converters import Wanted, choose
from harness.worker.errors import UnsupportedError
import tensorflow
frozen = Frozen("the graph", ["input"], ["end_0:0", "end_1:0"])
said = []
for words in json.loads(sys.argv[1]):
    del tensorflow.CALLS[:]
    try:
        converter = choose("auto")
        made = converter.convert(frozen, Wanted(**words))
        said.append({"name": converter.name, "made": made, "call": tensorflow.CALLS[-1]})
    except UnsupportedError as error:
        said.append({"refused": str(error)})
print(json.dumps({"python": list(sys.version_info[:2]), "said": said}))
"""
STAND_IN = """
CALLS = []
class nn(object):
    relu = relu6 = softmax = None
add = subtract = sigmoid = None
class compat(object):
    pass
class config(object):
    pass
"""
V1 = """
class _V1(object):
    nn, add, subtract, sigmoid, disable_eager_execution = nn, None, None, None, int
compat.v1 = _V1
"""
WANTED = {
    "precision": "FP16",
    "batch": 8,
    "segment": 5,
    "workspace": 1 << 30,
    "dynamic": False,
    "explicit": False,
}


@pytest.fixture(scope="module")
def python() -> Path:
    """Python 3.6 with NumPy where it is here, else the one that runs the tests."""
    found = find_python(((3, 6), (3, 6)))
    if found is None:
        return Path(sys.executable)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRTMATRIX_CACHE", str(Path(tempfile.gettempdir()) / "trtmatrix-tests"))
        try:
            return python_of(make(Plan(found, ("numpy==1.19.5",)), "NumPy", lambda _: None))
        except UnavailableError:
            return Path(sys.executable)


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The worker as it is sent into an environment."""
    folder = tmp_path_factory.mktemp("code")
    copy_worker(folder, [TFTRT().worker])
    return folder


def stand_in(folder: Path, release: str) -> Path:
    """Write a package ``tensorflow`` whose converters take the words of *release*, and record their calls."""
    root = folder / "tensorflow"
    files = {root / "__init__.py": f"__version__ = {release!r}\n{STAND_IN}"}
    if tuple(map(int, release.split("."))) >= (1, 13):
        files[root / "__init__.py"] += V1
    for module, calls in RELEASES[release].items():
        place = folder.joinpath(*module.split("."))
        package = place / "__init__.py" if module.endswith("contrib.tensorrt") else place.with_suffix(".py")
        files[package] = "import tensorflow\n" + "".join(map(_call, calls.items()))
        for parent in place.relative_to(root).parents:
            files.setdefault(root / parent / "__init__.py", "")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def _call(made: tuple[str, list[str]]) -> str:
    name, words = made
    taken = ", ".join(f"{word}=None" for word in words)
    if name == "create_inference_graph":
        return (
            f"def {name}({taken}):\n    tensorflow.CALLS.append(dict(locals()))\n    return input_graph_def\n"
        )
    return (
        f"class {name}(object):\n"
        f"    def __init__(self, {taken}):\n"
        "        self.said = {k: v for k, v in locals().items() if k != 'self'}\n"
        "        tensorflow.CALLS.append(self.said)\n"
        "    def convert(self):\n        return self.said.get('input_graph_def')\n"
    )


@pytest.fixture(scope="module", params=sorted(RELEASES, key=lambda one: tuple(map(int, one.split(".")))))
def answers(
    request: pytest.FixtureRequest, python: Path, code: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, list[dict[str, Any]]]:
    """The release, and what came of: static engines, dynamic ones, an explicit batch."""
    site = stand_in(tmp_path_factory.mktemp("site"), request.param)
    wanted = [WANTED, {**WANTED, "dynamic": True}, {**WANTED, "explicit": True}]
    done = subprocess.run(
        [str(python), "-s", "-c", PROGRAM, json.dumps(wanted)],
        cwd=site,  # not where the harness itself would be found
        env={"PYTHONPATH": f"{code}:{site}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return request.param, json.loads(done.stdout)["said"]


def test_each_release_is_told_in_its_own_words(answers: tuple[str, list[dict[str, Any]]]) -> None:
    release, (static, dynamic, explicit) = answers
    new = "TrtGraphConverter" in RELEASES[release].get("tensorflow.python.compiler.tensorrt.trt_convert", {})
    assert static["name"] == ("TrtGraphConverter" if new else "create_inference_graph")
    assert static["made"] == "the graph"
    told = {word: value for word, value in static["call"].items() if value is not None}
    kept = next(told.pop(word) for word in ("outputs", "nodes_blacklist", "nodes_denylist") if word in told)
    assert kept == ["end_0", "end_1"]
    assert told.pop("use_calibration", False) is False
    assert told.pop("is_dynamic_op", False) is False
    assert told == {
        "input_graph_def": "the graph",
        "max_batch_size": 8,
        "precision_mode": "FP16",
        "minimum_segment_size": 5,
        "max_workspace_size_bytes": 1 << 30,
    }
    if "is_dynamic_op" in static["call"]:
        assert dynamic["call"]["is_dynamic_op"] is True
    else:
        assert dynamic["refused"].startswith("engines dynamic: ")
    assert explicit["refused"].startswith("batch_mode explicit: ")
