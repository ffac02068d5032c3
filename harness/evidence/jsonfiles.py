"""JSON files: profiles (P6, P7), engine layers (E3), times of single inferences."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from statistics import fmean, median

from harness.errors import InputError
from harness.evidence.context import Context
from harness.evidence.jsonstream import JsonBrokenError, JsonCutError, JsonStream
from harness.evidence.numbers import finite
from harness.evidence.record import KINDS, FileFacts
from harness.evidence.records import EngineLayer, InferenceTime, LayerTime, LineCount
from harness.evidence.sinks import ProfileHead, Sink
from harness.evidence.source import Source
from harness.evidence.tensors import inspector_tensors

_TIME_KEYS = {"computeMs", "latencyMs", "endToEndMs", "h2dMs", "inMs", "startComputeMs"}
_INSPECTOR_KEYS = {"Layers", "Bindings"}
_OWN_KEYS = {"Name", "LayerType", "Inputs", "Outputs", "TacticName", "TacticValue"}
_ONNX_NAME = re.compile(r"\[ONNX Layer: ([^\x1e\]]*)\]")


class _JsonFile:
    """One JSON document on its way into a sink."""

    def __init__(self, stream: JsonStream, ctx: Context) -> None:
        self.stream, self.ctx = stream, ctx
        self.rows = 0
        self._iterations: int | None = None
        self._profile_rows = 0
        self._described = False

    def read(self) -> None:
        """Read the document; whatever is recognised goes to the sink at once."""
        if self.stream.peek() == "[":
            self._list()
        else:
            self._object()
        if self.stream.peek():
            self.ctx.warn(self.stream.line, "something follows the end of the JSON and was left out")

    def end_profile(self) -> None:
        """Close the profile whose rows were read, if there is one."""
        if self._profile_rows or self._iterations is not None:
            self.ctx.found("profile")
            self.ctx.sink.profile(ProfileHead(0, self._iterations, None, self._profile_rows))

    def _list(self) -> None:
        for element in self.stream.elements():
            if isinstance(element, Mapping):
                self._element(element)

    def _element(self, element: Mapping[str, object]) -> None:
        if "count" in element and "name" not in element:
            count = element["count"]
            self._iterations = count if isinstance(count, int) and not isinstance(count, bool) else None
        elif "name" in element and ("timeMs" in element or "averageMs" in element):
            self._profile_row(element)
        elif "Name" in element and "LayerType" in element:
            self._layer(element)
        elif _TIME_KEYS & element.keys():
            self.ctx.found("times")
            self.ctx.sink.emit(inference_time(element))
            self.rows += 1

    def _profile_row(self, element: Mapping[str, object]) -> None:
        self.ctx.found("profile")
        name = str(element["name"])

        def time(key: str) -> float | None:
            value = element.get(key)
            number = finite(value)
            if key in element and (number is None or number < 0):
                self.ctx.warn(None, f"layer {name!r}: {key} is no time: {value!r:.40}")
                return None
            return number

        self.ctx.sink.emit(
            LayerTime(
                self._profile_rows,
                name,
                time("timeMs"),
                time("averageMs"),
                time("medianMs"),
                finite(element.get("percentage")),
                iterations=self._iterations,
            )
        )
        self._profile_rows += 1
        self.rows += 1

    def _object(self) -> None:
        for key in self.stream.members():
            if key == "Layers" and self.stream.peek() == "[":
                self.ctx.found("engine_layers")
                for element in self.stream.elements():
                    self._layer(element)
            elif key in _INSPECTOR_KEYS:
                value = self.stream.value()
                if not isinstance(value, list):
                    self.ctx.warn(None, f"{key!r} is no list: {value!r:.40}")
            else:
                self._samples(key, self.stream.value())

    def _layer(self, element: object) -> None:
        layer = inspector_layer(element, self.rows)
        if layer is not None:
            self.ctx.found("engine_layers")
            self.ctx.sink.emit(layer)
            self.rows += 1

    def _samples(self, name: str, value: object) -> None:
        """P7: ``{"<layer>": [<ms>, ...]}``; several samples give a mean and a median."""
        # Texts beside it make a lone number part of a description (of a run, say), not a layer's time.
        self._described = self._described or isinstance(value, str)
        if name in _TIME_KEYS or (self._described and not isinstance(value, list)):
            return
        values = value if isinstance(value, list) else [value]
        numbers = [finite(item) for item in values]
        samples = tuple(number for number in numbers if number is not None)
        if not samples or len(samples) != len(values):
            return
        many = len(samples) > 1
        self.ctx.found("profile")
        self.ctx.sink.emit(
            LayerTime(
                self._profile_rows,
                name,
                average_ms=fmean(samples) if many else samples[0],
                median_ms=median(samples) if many else None,
                samples_ms=samples if many else (),
                iterations=len(samples) if many else None,
            )
        )
        if isinstance(value, list):
            self._iterations = max(self._iterations or 0, len(samples))
        self._profile_rows += 1
        self.rows += 1


def read_json(source: Source, sink: Sink, name: str) -> FileFacts:
    """Read a JSON file up to its end or to where it is cut or damaged.

    :raises InputError: cut or damaged before the first row
    """
    stream, ctx = JsonStream(source), Context(sink)
    document = _JsonFile(stream, ctx)
    problem = None
    try:
        document.read()
    except JsonCutError as error:
        problem = (error.line, source.damage or "the file ends inside the JSON")
    except JsonBrokenError as error:
        problem = (error.line, "the JSON is damaged")
    document.end_profile()
    if problem is not None:
        if not document.rows:
            raise InputError(name, f"{problem[1]} before the first row", line=problem[0])
        ctx.warn(problem[0], f"{problem[1]}: read up to there, {document.rows} rows")
    read = stream.count_lines()
    kinds = tuple(kind for kind in KINDS if kind in ctx.kinds)
    return FileFacts(kinds, lines=LineCount(read, read if problem is None else min(read, problem[0])))


def inspector_layer(element: object, position: int) -> EngineLayer | None:
    """One layer of the engine inspector: an object, or a bare name (engine built without details).

    ``TacticName`` and ``TacticValue`` may be missing or empty; other keys become attributes in snake case
    (``OutMaps``: ``out_maps``), and ONNX names in ``Metadata`` become ``original_names``.
    """
    if isinstance(element, str):
        return EngineLayer(position, element)
    if not isinstance(element, Mapping) or not isinstance(element.get("Name"), str):
        return None
    attributes = {snake_case(key): value for key, value in element.items() if key not in _OWN_KEYS}
    metadata = element.get("Metadata")
    if isinstance(metadata, str):
        names = tuple(_ONNX_NAME.findall(metadata))
        if names:
            attributes["original_names"] = names
    return EngineLayer(
        position,
        element["Name"],
        _text(element.get("LayerType")),
        _text(element.get("TacticValue")),
        _text(element.get("TacticName")),
        inspector_tensors(element.get("Inputs")),
        inspector_tensors(element.get("Outputs")),
        attributes,
    )


def snake_case(key: str) -> str:
    """A key of the inspector as an attribute name.

    >>> snake_case("OutMaps"), snake_case("HasReLU"), snake_case("ParameterSubType")
    ('out_maps', 'has_relu', 'parameter_sub_type')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key.replace("ReLU", "Relu")).lower()


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def inference_time(element: Mapping[str, object]) -> InferenceTime:
    """One inference of ``--exportTimes``.

    7.1 and 7.2 write the values of the enqueue pair under ``startInMs`` and ``endInMs`` and the other way
    round; 8.0 renames the input pair, by which the two are told apart. 7.0 has no enqueue times.
    """
    start, end = ("startEnqMs", "endEnqMs")
    if "startInMs" in element:
        start, end = ("startInMs", "endInMs") if "startEnqMs" in element else ("", "")
    return InferenceTime(
        gpu_ms=finite(element.get("computeMs")),
        host_ms=finite(element.get("latencyMs")),
        enqueue_ms=_difference(finite(element.get(start)), finite(element.get(end))),
        h2d_ms=finite(element.get("h2dMs", element.get("inMs"))),
        d2h_ms=finite(element.get("d2hMs", element.get("outMs"))),
    )


def _difference(start: float | None, end: float | None) -> float | None:
    """End minus start of the printed decimals, without the noise of binary fractions."""
    if start is None or end is None:
        return None
    return float(Decimal(repr(end)) - Decimal(repr(start)))
