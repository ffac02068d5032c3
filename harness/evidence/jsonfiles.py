"""JSON files: profiles (P6, P7), engine layers (E3), times of single inferences."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from statistics import fmean, median

from harness.errors import NotRecognisedError
from harness.evidence.context import Context
from harness.evidence.jsonstream import JsonBrokenError, JsonCutError, JsonStream
from harness.evidence.layer_names import are_layers
from harness.evidence.numbers import finite
from harness.evidence.profile_tables import MAX_ROWS
from harness.evidence.record import KINDS, FileFacts
from harness.evidence.records import EngineLayer, InferenceTime, LayerTime, LineCount
from harness.evidence.sinks import ProfileHead, Sink
from harness.evidence.source import Source
from harness.evidence.tensors import inspector_tensors

_SPANS = ("In", "Enq", "H2d", "Compute", "Out", "D2h")
_TIME_KEYS = {f"{end}{span}Ms" for end in ("start", "end") for span in _SPANS}
_TIME_KEYS |= {"inMs", "h2dMs", "computeMs", "outMs", "d2hMs", "latencyMs", "endToEndMs"}
_LEAST_TIME_KEYS = 3
_INSPECTOR_KEYS = {"Layers", "Bindings"}
_OWN_KEYS = {"Name", "LayerType", "Inputs", "Outputs", "TacticName", "TacticValue"}
_ONNX_NAME = re.compile(r"\[ONNX Layer: ([^\x1e\]]*)\]")


class _JsonFile:
    """The JSON documents of one file on their way into a sink: several where files were appended.

    A document that holds once more what the engine before had belongs to the next engine.
    """

    def __init__(self, stream: JsonStream, ctx: Context) -> None:
        self.stream, self.ctx = stream, ctx
        self.rows = 0
        self._engine_kinds: set[str] = set()
        self._begin()

    def _begin(self) -> None:
        self._kinds: set[str] = set()
        self._iterations: int | None = None
        self._profile_rows = 0
        self._members: list[tuple[str, object]] = []
        self._single = False
        self._line = self.stream.line

    def read(self) -> None:
        """Read the documents; whatever is recognised goes to the sink at once."""
        while (opening := self.stream.peek()) in ("[", "{") and opening:
            self._begin()
            if opening == "[":
                self._list()
            else:
                self._object()
            self.end()
        if self.stream.peek():
            self.ctx.warn(self.stream.line, "something follows the end of the JSON and was left out")

    def end(self) -> None:
        """The document is over or cut: say what its members are, close its profile."""
        self._tell_members()
        if self._profile_rows or self._iterations is not None:
            self._found("profile")
            head = ProfileHead(self.ctx.engine, self._iterations, None, self._profile_rows, line=self._line)
            self.ctx.sink.profile(head)
        if not self._single:  # layers written one an object go on in the next
            self._engine_kinds |= self._kinds
        self._profile_rows, self._iterations, self._members = 0, None, []

    def _found(self, kind: str) -> None:
        if kind not in self._kinds and kind in self._engine_kinds:
            self.ctx.engine += 1
            self._engine_kinds = set()
            self.rows = 0
        self._kinds.add(kind)
        self.ctx.found(kind)

    def _list(self) -> None:
        for element in self.stream.elements():
            if isinstance(element, Mapping):
                self._element(element)

    def _element(self, element: Mapping[str, object]) -> bool:
        if "count" in element and "name" not in element:
            count = element["count"]
            self._iterations = count if isinstance(count, int) and not isinstance(count, bool) else None
        elif "name" in element and ("timeMs" in element or "averageMs" in element):
            self._profile_row(element)
        elif "Name" in element and "LayerType" in element:
            self._layer(element)
        elif "computeMs" in element or len(_TIME_KEYS & element.keys()) >= _LEAST_TIME_KEYS:
            self._found("times")
            self.ctx.sink.emit(replace(inference_time(element), engine=self.ctx.engine))
            self.rows += 1
        else:
            return False
        return True

    def _profile_row(self, element: Mapping[str, object]) -> None:
        self._found("profile")
        name = str(element["name"])

        def time(key: str) -> float | None:
            value = element.get(key)
            number = finite(value)
            if key in element and (number is None or number < 0):
                self.ctx.warn(None, f"layer {name!r}: {key} is no time: {value!r:.40}")
                return None
            return number

        self._emit_row(
            LayerTime(
                self._profile_rows,
                name,
                time("timeMs"),
                time("averageMs"),
                time("medianMs"),
                finite(element.get("percentage")),
                iterations=self._iterations,
                engine=self.ctx.engine,
            )
        )

    def _emit_row(self, row: LayerTime) -> None:
        self.ctx.sink.emit(row)
        self._profile_rows += 1
        self.rows += 1

    def _object(self) -> None:
        for key in self.stream.members():
            if key == "Layers" and self.stream.peek() == "[":
                self._found("engine_layers")
                for element in self.stream.elements():
                    self._layer(element)
            elif key in _INSPECTOR_KEYS:
                value = self.stream.value()
                if not isinstance(value, list):
                    self.ctx.warn(None, f"{key!r} is no list: {value!r:.40}")
            else:
                value = self.stream.value()
                if len(self._members) < MAX_ROWS:
                    self._members.append((key, value))

    def _layer(self, element: object) -> None:
        layer = inspector_layer(element, self.rows, self.ctx.engine)
        if layer is not None:
            self._found("engine_layers")
            self.ctx.sink.emit(layer)
            self.rows += 1

    def _tell_members(self) -> None:
        """An object is one layer of the inspector, one row of an export, or samples by layer (P7)."""
        members, self._members = self._members, []
        if not members or "engine_layers" in self._kinds:
            return
        keys = dict(members)
        if ("LayerType" in keys or "name" in keys) and self._element(keys):
            self._single = True
        elif are_samples(members):
            self._samples(members)
        elif any(finite(value) is not None or isinstance(value, list) for value in keys.values()):
            self.ctx.refuse(
                "an object with numbers, but no names of layers with times as a profiler gives them, no "
                "'Layers' and no 'Name' with 'LayerType'"
            )

    def _samples(self, members: Sequence[tuple[str, object]]) -> None:
        """P7: ``{"<layer>": [<ms>, ...]}``; several samples give a mean and a median."""
        self._found("profile")
        for name, value in members:
            samples = samples_of(value)
            if not samples:
                continue
            many = len(samples) > 1
            row = LayerTime(
                self._profile_rows,
                name,
                average_ms=fmean(samples) if many else samples[0],
                median_ms=median(samples) if many else None,
                samples_ms=samples if many else (),
                iterations=len(samples) if many else None,
                engine=self.ctx.engine,
            )
            if isinstance(value, list):
                self._iterations = max(self._iterations or 0, len(samples))
            self._emit_row(row)


def samples_of(value: object) -> tuple[float, ...]:
    """The milliseconds of one layer: a number or a list of numbers, empty where it is neither."""
    values = value if isinstance(value, list) else [value]
    numbers = tuple(number for item in values if (number := finite(item)) is not None and number >= 0)
    return numbers if len(numbers) == len(values) else ()


def are_samples(members: Sequence[tuple[str, object]]) -> bool:
    """Say whether an object is a profile by layer and not a description or settings.

    Times are fractions, and either their keys are names of layers or they are the 32-bit floats that TensorRT
    hands to a profiler.

    >>> are_samples([("conv1", [0.5, 0.25]), ("fc2", [0.1, 0.2])])
    True
    >>> are_samples([("mean", [0.485, 0.456]), ("std", [0.229, 0.224])])
    False
    """
    texts = any(isinstance(value, str) for _, value in members)
    kept = [(name, samples_of(value)) for name, value in members if not texts or isinstance(value, list)]
    kept = [(name, samples) for name, samples in kept if samples]
    if not kept or len(kept) * 2 < len(members):
        return False
    numbers = [number for _, samples in kept for number in samples]
    fractions = [number for number in numbers if not number.is_integer()]
    if len(fractions) * 2 < len(numbers):
        return False
    single = [number for number in fractions if len(repr(number)) > 12 and _as_float32(number) == number]
    return len(single) * 2 > len(fractions) or are_layers([name for name, _ in kept])


def _as_float32(number: float) -> float:
    try:
        return float(struct.unpack("<f", struct.pack("<f", number))[0])
    except OverflowError:
        return float("nan")


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
    if problem is not None:
        document.end()
        if not ctx.kinds:
            raise NotRecognisedError(name, f"{problem[1]} before the first row", line=problem[0])
        ctx.warn(problem[0], f"{problem[1]}: read up to there, {document.rows} rows")
    read = stream.count_lines()
    kinds = tuple(kind for kind in KINDS if kind in ctx.kinds)
    lines = LineCount(read, read if problem is None else min(read, problem[0]))
    return FileFacts(kinds, engines=ctx.engine + 1, lines=lines, refused=tuple(ctx.refused))


def inspector_layer(element: object, position: int, engine: int = 0) -> EngineLayer | None:
    """One layer of the engine inspector: an object, or a bare name (engine built without details).

    ``TacticName`` and ``TacticValue`` may be missing or empty; other keys become attributes in snake case
    (``OutMaps``: ``out_maps``), and ONNX names in ``Metadata`` become ``original_names``.
    """
    if isinstance(element, str):
        return EngineLayer(position, element, engine=engine)
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
        engine=engine,
    )


@lru_cache(maxsize=4096)
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
