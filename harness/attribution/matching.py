"""Foreign names to source ops: the same op is called differently by each converter, parser and version.

Tried in this order, the first that gives exactly one op wins:

1. the alias map (whole names first, then regular expressions at the start of a name);
2. the op's name, or the name of the tensor it writes;
3. scopes added by a converter or left out (``FeatureExtractor/MobilenetV2/Conv/Conv2D``, ``AvgPool``);
4. TF-slim's numbering, which leaves ``_0`` out (``expanded_conv_0/...`` is ``expanded_conv/...``);
5. the scope of one op (``Logits/Conv2d_1c_1x1`` for ``Logits/Conv2d_1c_1x1/Conv2D``) and pieces of one op
   (``Conv/Relu6/relu1`` where the graph has ``Conv/Relu6``);
6. for ``(Unnamed Layer* 12) [Activation]``: the order of a definition (:mod:`harness.attribution.unnamed`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.attribution.names import CUT_AT, LayerName, parse_name
from harness.attribution.unnamed import UNNAMED, UnnamedOrder
from harness.errors import BadAliasError
from harness.networks.graph import Graph
from harness.remembering import once_each

_SLIM_FIRST = re.compile(r"_0(?=/|$)")


@dataclass(frozen=True)
class _Names:
    """What the names in a graph say.

    :param known: foreign names, once looked for, to what they stand for
    :param parsed: names of engine layers, once taken apart
    """

    ops: Mapping[str, int]
    outputs: Mapping[str, str]
    ends: Mapping[str, set[str]]
    scopes: Mapping[str, set[str]]
    known: dict[str, str | None]
    parsed: dict[str, LayerName]


@once_each
def _names(graph: Graph) -> _Names:
    ends: dict[str, set[str]] = {}
    scopes: dict[str, set[str]] = {}
    for op in graph.ops:
        pieces = op.name.split("/")
        for cut in range(1, len(pieces)):
            ends.setdefault("/".join(pieces[cut:]), set()).add(op.name)
            scopes.setdefault("/".join(pieces[:cut]), set()).add(op.name)
    places = {op.name: place for place, op in enumerate(graph.ops)}
    return _Names(places, {op.output: op.name for op in graph.ops}, ends, scopes, {}, {})


class OpMatcher:
    """Finds the source op that a foreign name stands for.

    :param graph: the network
    :param aliases: foreign name, or regular expression for its start, to op name (or what replaces the match)
    :param seen: all layer and tensor names of the engine, for the numbering of unnamed layers
    :raises UsageError: an alias is no valid regular expression
    """

    def __init__(
        self, graph: Graph, aliases: Mapping[str, str] | None = None, seen: Iterable[str] = ()
    ) -> None:
        names = _names(graph)
        self._ops, self._outputs, self._ends, self._scopes = (
            names.ops,
            names.outputs,
            names.ends,
            names.scopes,
        )
        self._aliases = dict(aliases or {})
        self._patterns = [(_compiled(key), value) for key, value in self._aliases.items()]
        self._unnamed = UnnamedOrder(graph, seen)
        self._cache: dict[str, str | None] = {}
        # Without aliases a name stands for the same op in every build of the network.
        self._shared = {} if self._aliases else names.known
        self._parsed = {} if self._aliases else names.parsed

    def knows(self, name: str) -> bool:
        """Say whether *name* is one op as it stands (it may hold `` + ``): exact names and aliases only."""
        return name in self._ops or name in self._aliases

    def parse(self, name: str) -> LayerName:
        """Return the name of an engine layer taken apart, names of ops kept whole."""
        if name not in self._parsed:
            self._parsed[name] = parse_name(name, self.knows)
        return self._parsed[name]

    def find(self, name: str) -> str | None:
        """Return the op *name* stands for, None where there is none or more than one."""
        cache = self._cache if UNNAMED.match(name) else self._shared
        if name not in cache:
            cache[name] = self._look(name)
        return cache[name]

    def find_all(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the ops *names* stand for, in network order, each once."""
        return self.in_order({op for name in names if (op := self.find(name)) is not None})

    def in_order(self, ops: Iterable[str]) -> tuple[str, ...]:
        """Return *ops* (names of ops) in network order."""
        return tuple(sorted(ops, key=self._ops.__getitem__))

    def place(self, op: str) -> int:
        """Return the place of *op* in network order."""
        return self._ops[op]

    def find_cut(self, name: str) -> str | None:
        """Return the one op whose name starts with *name*, which was cut at the width of a column."""
        starts = [op for op in self._ops if op.startswith(name)]
        return starts[0] if len(starts) == 1 else None

    def _look(self, name: str) -> str | None:
        if UNNAMED.match(name):
            return self._unnamed.find(name)
        candidates = [*self._translated(name), name]
        # A leading slash (ONNX exporters) or caret (TensorFlow) is decoration.
        candidates += [bare for c in candidates if (bare := c.strip().lstrip("/^")) != c]
        for step in (self._exact, self._scoped, self._numbered, self._near):
            for candidate in candidates:
                if (op := step(candidate)) is not None:
                    return op
        return None

    def _translated(self, name: str) -> list[str]:
        if name in self._aliases:
            return [self._aliases[name]]
        # The first pattern that matches at the start decides; replacing nothing would loop on itself.
        for pattern, replacement in self._patterns:
            if (found := pattern.match(name)) and found.end():
                return [found.expand(replacement) + name[found.end() :]]
        return []

    def _exact(self, name: str) -> str | None:
        return name if name in self._ops else self._outputs.get(name)

    def _scoped(self, name: str) -> str | None:
        pieces = name.split("/")
        for cut in range(1, len(pieces)):
            if (tail := "/".join(pieces[cut:])) in self._ops:
                return tail
        return _only(self._ends.get(name))

    def _numbered(self, name: str) -> str | None:
        plain = _SLIM_FIRST.sub("", name)
        return (self._exact(plain) or self._scoped(plain)) if plain != name else None

    def _near(self, name: str) -> str | None:
        for form in (name, _SLIM_FIRST.sub("", name)):
            pieces = form.split("/")
            for begin in range(len(pieces)):
                tail = pieces[begin:]
                if begin == 0 and (op := _only(self._scopes.get("/".join(tail)))):
                    return op
                # One piece alone (`Conv`) is a scope of many things: a parent needs two, or the whole name.
                for end in range(len(tail) - 1, 0 if begin == 0 else 1, -1):
                    if (parent := "/".join(tail[:end])) in self._ops:
                        return parent
                if begin and len(tail) > 1 and (op := _only(self._scopes.get("/".join(tail)))):
                    return op
        return None


def cut_name(name: str) -> bool:
    """Say whether *name* may have been cut by the sample profiler's column."""
    return len(name) == CUT_AT


def _only(names: set[str] | None) -> str | None:
    return next(iter(names)) if names is not None and len(names) == 1 else None


def _compiled(key: str) -> re.Pattern[str]:
    try:
        return re.compile(key)
    except re.error as error:
        raise BadAliasError(
            f"alias '{key}': not a name to match as it stands nor a regular expression ({error}); escape it"
        ) from None
