"""TF-TRT's three converters, told apart by what a TensorFlow offers.

Each takes a frozen graph and returns one in which nodes have become TRTEngineOps.
"""

import importlib
import inspect
import shutil
import tempfile
from typing import Any, Dict, Optional, Sequence

from harness.runtimes.tensorflow.worker.library import tf1
from harness.runtimes.tensorflow.worker.running import Frozen
from harness.worker.errors import FailedError, UnsupportedError

CONTRIB = "tensorflow.contrib.tensorrt"  # 1.7 to 1.13
COMPILER = "tensorflow.python.compiler.tensorrt.trt_convert"  # 1.14 and later


class Wanted(object):
    """What a conversion is asked for.

    :param precision: ``FP32``, ``FP16``, ``INT8``; :param batch: the largest
    :param segment: least nodes of a segment; :param workspace: bytes
    :param dynamic: engines are built at the first inference, not by the converter
    """

    def __init__(
        self, precision: str, batch: int, segment: int, workspace: int, dynamic: bool, explicit: bool
    ) -> None:
        self.precision, self.batch, self.segment = precision, batch, segment
        self.workspace, self.dynamic, self.explicit = workspace, dynamic, explicit


class Function(object):
    """``create_inference_graph`` of contrib, TensorFlow 1.7 to 1.13."""

    name = "create_inference_graph"

    def __init__(self, module: Any) -> None:
        self._call = module.create_inference_graph

    def convert(self, frozen: Frozen, wanted: Wanted) -> Any:
        """Return the converted GraphDef.

        :raises UnsupportedError: this version has no word for what is wanted
        """
        known = _words(self._call)
        said = _said(self.name, known, "outputs", frozen, wanted)
        if wanted.dynamic and "is_dynamic_op" not in known:  # before 1.10
            raise UnsupportedError("engines dynamic: this create_inference_graph builds them itself")
        return self._call(**said)


class Converter(object):
    """``TrtGraphConverter``, TensorFlow 1.14 and later."""

    name = "TrtGraphConverter"

    def __init__(self, module: Any) -> None:
        self._class = module.TrtGraphConverter

    def convert(self, frozen: Frozen, wanted: Wanted) -> Any:
        """Return the converted GraphDef.

        :raises UnsupportedError: this version has no word for what is wanted
        """
        known = _words(self._class.__init__)
        kept = "nodes_denylist" if "nodes_denylist" in known else "nodes_blacklist"
        said = _said(self.name, known, kept, frozen, wanted)
        if wanted.dynamic and kept == "nodes_denylist":
            said["max_batch_size"] = None
        if hasattr(tf1, "disable_eager_execution"):
            tf1.disable_eager_execution()  # 2.x refuses to make this converter otherwise
        return self._class(**said).convert()


class ConverterV2(object):
    """``TrtGraphConverterV2``, which takes a SavedModel; its engines are built at the first inference."""

    name = "TrtGraphConverterV2"

    def __init__(self, module: Any) -> None:
        self._module = module

    def convert(self, frozen: Frozen, wanted: Wanted) -> Any:
        """Return the converted GraphDef, as the SavedModel's function has it.

        :raises UnsupportedError: this version has no word for what is wanted
        """
        said = {
            "precision_mode": wanted.precision,
            "max_workspace_size_bytes": wanted.workspace,
            "minimum_segment_size": wanted.segment,
            "use_calibration": False,
        }  # type: Dict[str, Any]
        known = _words(self._module.TrtGraphConverterV2.__init__)
        if "use_dynamic_shape" in known:
            said["use_dynamic_shape"] = wanted.explicit
        elif wanted.explicit:
            raise UnsupportedError("batch_mode explicit: this TrtGraphConverterV2 has no dynamic shapes")
        if "conversion_params" in known and "precision_mode" not in known:  # up to 2.4
            parameters = self._module.DEFAULT_TRT_CONVERSION_PARAMS
            fields = getattr(parameters, "_fields", ())
            told = {word: value for word, value in said.items() if word in fields}
            said = {"conversion_params": parameters._replace(**told)}
        folder = tempfile.mkdtemp(prefix="trtmatrix-model-")
        try:
            save(frozen, folder + "/model")
            told = {word: value for word, value in said.items() if word in known}
            made = self._module.TrtGraphConverterV2(input_saved_model_dir=folder + "/model", **told)
            return made.convert().graph.as_graph_def()
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def save(frozen: Frozen, folder: str) -> None:
    """Write *frozen* as a SavedModel with one signature of named inputs and outputs."""
    with tf1.Graph().as_default() as graph:
        tf1.import_graph_def(frozen.definition, name="")
        inputs = {name: graph.get_tensor_by_name(name + ":0") for name in frozen.inputs}
        outputs = {_node(name): graph.get_tensor_by_name(name) for name in frozen.outputs}
        with tf1.Session(graph=graph) as session:
            tf1.saved_model.simple_save(session, folder, inputs, outputs)


def choose(asked: str) -> Any:
    """Return the converter called *asked*: ``auto`` (what takes a frozen graph), ``v1``, ``v2``.

    :raises UnsupportedError: this TensorFlow has none of that kind
    """
    contrib, compiler = _module(CONTRIB), _module(COMPILER)
    if asked in ("auto", "v1") and hasattr(compiler, "TrtGraphConverter"):
        return Converter(compiler)
    if asked in ("auto", "v1") and hasattr(contrib, "create_inference_graph"):
        return Function(contrib)
    if asked in ("auto", "v2") and hasattr(compiler, "TrtGraphConverterV2"):
        return ConverterV2(compiler)
    raise UnsupportedError("converter {}: this TensorFlow has no such one".format(asked))


def linked_tensorrt() -> Optional[str]:
    """Return the version of TensorRT that this TensorFlow was linked to, None where it does not say."""
    for name in ("tensorflow.python.compiler.tensorrt.utils", COMPILER, CONTRIB):
        module = _module(name)
        call = getattr(module, "get_linked_tensorrt_version", None) or getattr(
            module, "_pywrap_py_utils", None
        )
        call = getattr(call, "get_linked_tensorrt_version", call)
        if callable(call):
            return ".".join(str(number) for number in call())
    return None


def _module(name: str) -> Optional[Any]:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _words(call: Any) -> Sequence[str]:
    try:
        return list(inspect.signature(call).parameters)
    except (TypeError, ValueError) as error:
        raise FailedError("converter: its arguments cannot be told: {}".format(error))


def _said(name: str, known: Sequence[str], kept: str, frozen: Frozen, wanted: Wanted) -> Dict[str, Any]:
    """Return what the converter called *name* is told: the words of frozen graphs that it has.

    :param known: its words; :param kept: its word for nodes that stay outside
    :raises UnsupportedError: it has none for what is wanted
    """
    if wanted.explicit:
        raise UnsupportedError("batch_mode explicit: {} builds engines of an implicit batch".format(name))
    said = {
        "input_graph_def": frozen.definition,
        kept: [_node(name) for name in frozen.outputs],
        "max_batch_size": wanted.batch,
        "max_workspace_size_bytes": wanted.workspace,
        "precision_mode": wanted.precision,
        "minimum_segment_size": wanted.segment,
        "is_dynamic_op": wanted.dynamic,
        "use_calibration": wanted.precision == "INT8",
    }  # type: Dict[str, Any]
    return {word: value for word, value in said.items() if word in known}


def _node(tensor: str) -> str:
    return tensor.split(":")[0]
