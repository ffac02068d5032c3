"""Engine layer listings in logs: ``Engine Layer Information`` (E1), ``Layer Information`` (E2), E6.

E6 is what ``polygraphy inspect model --show layers`` prints.

Lists of where layers run (E4) and of their memory (E5) look alike and are not engine layers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from harness.evidence.context import Context
from harness.evidence.numbers import normal_tactic_id
from harness.evidence.records import EngineLayer, TensorInfo
from harness.evidence.tactics import TacticSearch
from harness.evidence.tensors import datatype_of, parse_tensors

_MAX_LAYERS = 100_000
_TITLES = {b"Engine Layer Information:": "E1", b"Layer Information:": "E2"}
_FIELD = re.compile(r"(?:^|, )(Name|LayerType|Inputs|Outputs|TacticName|TacticValue|[A-Z][A-Za-z/]+): ")
_DIMENSIONS = re.compile(r", Dimensions: \[([-\d,]*)\](?:, Format/Datatype: )?")
_E6_HEAD = re.compile(r"Layer (\d+)\s*\| (.*) \[Op: (\w+)\]\s*\Z")
_E6_TENSOR = re.compile(r" \[dtype=(\w+), shape=\(([-\d, ]*)\)(?:, Format: ([^\]\[]*))?\](?:, )?")


class Listings:
    """Collects the layers of one engine until it ends, since kernels are joined from the whole log."""

    def __init__(self, ctx: Context, search: TacticSearch, next_engine: Callable[[], None]) -> None:
        self.ctx = ctx
        self._next_engine = next_engine
        self._search = search
        self.start_engine()

    def start_engine(self) -> None:
        """Forget the engine before."""
        self._lists: dict[str, list[EngineLayer]] = {}
        self._mode: str | None = None
        self._expected: int | None = None
        self._side = 0
        self._cut = False
        self._followed = False

    @property
    def seen(self) -> bool:
        """This engine has an ``Engine Layer Information`` list."""
        return "E1" in self._lists

    @property
    def open(self) -> bool:
        """Bare lines that come now may belong to a list."""
        return self._mode is not None

    def expect(self, layers: int | None) -> None:
        """``After reformat layers: <n> layers``: how many will be listed, None: unknown."""
        self._expected = layers

    def title(self, content: bytes, number: int) -> bool:
        """``Engine Layer Information:`` (E1), ``Layer Information:`` (E2), a layer of Polygraphy (E6)."""
        del number
        text = content.strip()
        if b" [Op: " in text:
            return self._polygraphy(text)
        mode = _TITLES.get(text)
        if mode is None:
            return False
        if mode in self._lists:
            self._next_engine()
        self._mode = mode
        self._lists.setdefault(self._mode, [])
        self.ctx.found("engine_layers")
        return True

    def layer(self, content: bytes, number: int) -> bool:
        """One line of E1: ``Layer(<Type>): <name>, Tactic: <T>, <inputs> -> <outputs>``."""
        text = content.decode("utf-8", "replace").rstrip()
        kind, found, rest = text[6:].partition("): ")
        name, tactic_found, tail = rest.rpartition(", Tactic: ")
        tactic, comma, tensors = tail.partition(", ")
        inputs, outputs, whole = parse_tensors(tensors) if comma else ((), (), False)
        self._cut = not whole and bool(found and tactic_found and comma)
        self._followed = False
        if not whole:
            self.ctx.partial = (number, content)
            if not self._cut:
                return False
        return self._append(
            "E1", EngineLayer(0, name, kind, tactic, None, inputs, outputs, {}, self.ctx.engine)
        )

    def interrupt(self) -> None:
        """Another line came: the list above it is as long as it was printed."""
        self._followed = True

    def drop_cut(self) -> None:
        """The E1 line read last goes on in the next line: it will be read again whole."""
        if self._cut and self._lists.get("E1"):
            self._lists["E1"].pop()
        self._cut = False

    def detailed(self, content: bytes, number: int) -> bool:
        """One long line of E2: ``Name: <n>, LayerType: <t>, Inputs: [ ... ], ..., TacticValue: <hex>``."""
        text = content.decode("utf-8", "replace").strip()
        if ", LayerType: " not in text:
            return False
        if "Outputs: [" not in text:
            self.ctx.partial = (number, content)
        fields: dict[str, str] = {}
        marks = list(_FIELD.finditer(text))
        for mark, following in zip(marks, [*marks[1:], None], strict=True):
            value = text[mark.end() : following.start() if following else len(text)]
            fields.setdefault(mark.group(1), value.strip())
        inputs, outputs = _sides(text)
        layer = EngineLayer(
            0,
            fields.get("Name", ""),
            fields.get("LayerType"),
            fields.get("TacticValue") or None,
            fields.get("TacticName") or None,
            inputs,
            outputs,
            {},
            self.ctx.engine,
        )
        return self._append("E2", layer)

    def bare(self, content: bytes) -> bool:
        """A bare line while a list is open: a name of E2, or the end of the list."""
        text = content.decode("utf-8", "replace").strip()
        if self._mode == "E2":
            if text == "Layers:":
                self._mode = "E2 names"
                return True
            return False
        if self._mode == "E2 names":
            if not text or text == "Bindings:":
                self._mode = None
                return text != ""
            return self._append("E2", EngineLayer(0, text, engine=self.ctx.engine))
        if self._mode == "E6" and content[:1] in (b" ", b"\t", b"-", b"{"):
            return self._polygraphy_tensors(text)
        return False

    def _polygraphy(self, content: bytes) -> bool:
        """``Layer <i>    | <name> [Op: <Type>]`` (E6)."""
        match = _E6_HEAD.match(content.decode("utf-8", "replace"))
        if match is None:
            return False
        if not match.group(1).strip("0") and self._lists.get("E6"):
            self._next_engine()
        self._mode, self._side = "E6", 0
        return self._append(
            "E6", EngineLayer(0, match.group(2).strip(), match.group(3), engine=self.ctx.engine)
        )

    def _polygraphy_tensors(self, text: str) -> bool:
        if text.startswith("->"):
            self._side = 1
        found = _e6_tensors(text.lstrip("->{ "))
        layers = self._lists["E6"]
        if not layers or not (found or text.startswith(("{", "->", "}"))):
            return False
        last = layers[-1]
        if self._side:
            layers[-1] = replace(last, outputs=(*last.outputs, *found))
        else:
            layers[-1] = replace(last, inputs=(*last.inputs, *found))
        return True

    def _append(self, source: str, layer: EngineLayer) -> bool:
        layers = self._lists.setdefault(source, [])
        if len(layers) >= _MAX_LAYERS:
            self.ctx.warn_once(None, f"more than {_MAX_LAYERS} layers in one engine, the rest is left out")
            return False
        layers.append(layer)
        self.ctx.found("engine_layers")
        return True

    def flush(self, *, complete: bool) -> None:
        """Hand over the layers of the engine that ends; two lists of the same layers become one.

        :param complete: False at the end of a file: a list that ends with it and is too short may be cut.
            Elsewhere it leaves out layers that do nothing
        """
        named = self._search.named
        e1 = [self._with_kernel(layer, named) for layer in self._lists.get("E1", [])]
        cut = not complete and not self._followed and self.seen
        if cut and self._expected is not None and len(e1) < self._expected:
            self.ctx.warn(None, f"the engine layer list ends after {len(e1)} of {self._expected} layers")
        merged = e1
        for source in ("E2", "E6"):
            merged = _merge(merged, self._lists.get(source, []))
        for position, layer in enumerate(merged):
            self.ctx.sink.emit(replace(layer, position=position))

    def _with_kernel(self, layer: EngineLayer, named: Mapping[str, str | None]) -> EngineLayer:
        tactic_id = normal_tactic_id(layer.tactic or "")
        if tactic_id is None:
            return layer
        kernel = self._search.kernels.get((layer.type, tactic_id)) or named.get(tactic_id)
        return replace(layer, kernel=kernel) if kernel else layer


def _sides(text: str) -> tuple[tuple[TensorInfo, ...], tuple[TensorInfo, ...]]:
    head, _, tail = text.partition("Outputs: [")
    end = tail.find("}]")
    return _e2_tensors(head.partition("Inputs: [")[2]), _e2_tensors(tail[:end] if end >= 0 else tail)


def _e2_tensors(text: str) -> tuple[TensorInfo, ...]:
    """``{ Name: .., Location: .., Dimensions: [..], Format/Datatype: .. }, { ... }``."""
    tensors = []
    for piece in re.split(r"\{ ?Name: ", text)[1:]:
        match = _DIMENSIONS.search(piece)
        if match is not None:
            printed = piece[match.end() :].rstrip(" ,]").removesuffix("}").rstrip()
            name = piece[: match.start()].partition(", Location: ")[0]
            tensors.append(TensorInfo(name, _dimensions(match.group(1)), printed, datatype_of(printed)))
    return tuple(tensors)


def _e6_tensors(text: str) -> list[TensorInfo]:
    tensors, start = [], 0
    for match in _E6_TENSOR.finditer(text):
        dtype, sizes, printed = match.groups()
        tensors.append(TensorInfo(text[start : match.start()].strip(), _dimensions(sizes), printed, dtype))
        start = match.end()
    return tensors


def _dimensions(sizes: str) -> tuple[int, ...] | None:
    parts = [part.strip() for part in sizes.split(",") if part.strip()]
    if not all(re.fullmatch(r"-?\d{1,18}", part) for part in parts):
        return None
    return tuple(int(part) for part in parts)


def _merge(first: list[EngineLayer], second: list[EngineLayer]) -> list[EngineLayer]:
    if not first or not second:
        return first or second
    if [layer.name for layer in first] != [layer.name for layer in second]:
        return first if len(first) >= len(second) else second
    return [
        replace(
            a,
            type=a.type or b.type,
            tactic=a.tactic or b.tactic,
            kernel=b.kernel or a.kernel,
            inputs=a.inputs or b.inputs,
            outputs=a.outputs or b.outputs,
        )
        for a, b in zip(first, second, strict=True)
    ]
