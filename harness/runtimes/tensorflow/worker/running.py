"""A graph in a session: one inference, whose inputs are fed each time or lie on the GPU."""

from typing import Any, Callable, List, Optional, Sequence  # noqa: F401

from .library import tf1
from .tensors import Held  # noqa: F401


class Frozen(object):
    """A graph as it is handed to whoever runs or converts it.

    :param definition: the GraphDef; :param inputs: names of its placeholders
    :param outputs: names of the tensors that it is run for, such as ``logits:0``
    """

    def __init__(self, definition: Any, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        self.definition, self.inputs, self.outputs = definition, list(inputs), list(outputs)


def with_ends(frozen: Frozen) -> Frozen:
    """Return *frozen* with an identity behind each output, which a converter leaves alone."""
    with tf1.Graph().as_default() as graph:
        tf1.import_graph_def(frozen.definition, name="")
        ends = [
            tf1.identity(graph.get_tensor_by_name(name), name="end_{}".format(number)).name
            for number, name in enumerate(frozen.outputs)
        ]
    return Frozen(graph.as_graph_def(), frozen.inputs, ends)


class Running(object):
    """A session over *frozen*.

    :param arrays: the inputs, as the graph has them
    :param resident: they lie on the GPU, and outputs stay there; else both are copied at each inference
    """

    def __init__(self, frozen: Frozen, arrays: Sequence[Any], config: Any, resident: bool) -> None:
        self.resident = resident
        graph, held = tf1.Graph(), []  # type: Any, List[Any]
        with graph.as_default():
            if resident:
                held = [_on_gpu(number, array) for number, array in enumerate(arrays)]
            mapped = {name + ":0": tf1.identity(one) for name, (one, _) in zip(frozen.inputs, held)}
            found = tf1.import_graph_def(
                frozen.definition,
                input_map=mapped or None,
                return_elements=frozen.outputs + [name + ":0" for name in frozen.inputs],
                name="",
            )
        self._outputs, fed = found[: len(frozen.outputs)], found[len(frozen.outputs) :]
        self.session = tf1.Session(graph=graph, config=config)
        for array, (variable, start) in zip(arrays, held):
            self.session.run(variable.initializer, {start: array})
        self._fed = [] if resident else fed
        self._arrays = [] if resident else list(arrays)

    def outputs(self) -> List[Any]:
        """Run one inference and return its outputs."""
        return list(self.session.run(self._outputs, dict(zip(self._fed, self._arrays))))

    def inference(self) -> Callable[..., Any]:
        """Return what runs one inference, and takes ``options`` and ``run_metadata``."""
        fetched = [one.op for one in self._outputs] if self.resident else self._outputs
        run, arrays = self.session.make_callable(fetched, self._fed, accept_options=True), self._arrays
        return lambda **said: run(*arrays, **said)

    def plain(self) -> Callable[[], Any]:
        """Return what runs one inference of resident inputs by the shortest way through Python."""
        run = self.session.make_callable([one.op for one in self._outputs])
        return lambda: run()  # typed, which TensorFlow's own is not


def _on_gpu(number: int, array: Any) -> Any:
    """Return a variable on the GPU and the placeholder that it starts from."""
    name = "resident_{}".format(number)
    with tf1.device("/gpu:0"):
        start = tf1.placeholder(tf1.float32, array.shape, name=name + "/start")
        held = tf1.get_variable(name, initializer=start, use_resource=False, trainable=False)
    return held, start
