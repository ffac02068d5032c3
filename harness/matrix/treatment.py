"""Treatments: how a network is built and run, as one table of fields.

The common fields stand in :data:`COMMON`; a runtime says which of them it knows, and brings fields of its own
through the same record. What a matrix file may say, labels, documentation and listings come from the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

UNKNOWN = "unknown"
"""The value of what the importer of a recording does not know."""

MOST_IMAGES = 4096
"""In a batch: the inputs of more do not fit into memory beside the network."""

Value = str | int | None
"""Of a field; None for a batch that is not known."""


@dataclass(frozen=True)
class TreatmentField:
    """One field of a treatment.

    :param values: what may be asked for; None for any word (or number, with *most*)
    :param default: the value of whoever does not ask
    :param label: how a value stands in labels and cell ids, ``{}`` in place of the value; ``NAME_VALUE`` by
        default
    :param meaning: one line for listings and documentation
    :param always: whether the default stands in labels, too
    :param most: values are whole numbers from 1 to this one in place of words
    """

    name: str
    values: tuple[str, ...] | None
    default: str | int
    label: str = ""
    meaning: str = ""
    always: bool = False
    most: int | None = None

    def text(self, value: Value) -> str:
        """Return *value* as it stands in a label."""
        return (self.label or self.name + "_{}").format(UNKNOWN if value is None else value)

    def shows(self, value: Value) -> bool:
        """Say whether *value* is part of a label: always, or neither default nor unknown."""
        return self.always or value not in (self.default, UNKNOWN)

    @property
    def allowed(self) -> str:
        """What may be asked for, for people."""
        if self.most is not None:
            return f"1 to {self.most}"
        return "any" if self.values is None else ", ".join(self.values)


PRECISION = TreatmentField(
    "precision",
    ("fp32", "tf32", "fp16", "int8"),
    "fp32",
    "{}",
    "of the arithmetic; fp32 is without TF32",
    True,
)
BATCH = TreatmentField("batch", None, 1, "b{}", "images a run", always=True, most=MOST_IMAGES)
RELU6 = TreatmentField(
    "relu6", ("clip", "relu_sub"), "clip", "{}", "as one op, or relu(x) - relu(x - 6)", True
)
TENSOR_FORMAT = TreatmentField(
    "tensor_format", None, "linear", "{}", "of network inputs and outputs: linear, chw4, hwc8, hwc ..."
)
SOURCE = TreatmentField(
    "source",
    ("auto", "api", "onnx"),
    "auto",
    "from_{}",
    "how the runtime gets the network; auto is the runtime's own way",
)
BATCH_MODE = TreatmentField(
    "batch_mode",
    ("auto", "explicit", "implicit"),
    "auto",
    "{}_batch",
    "auto is explicit where the version knows it",
)
TYPING = TreatmentField(
    "typing", ("auto", "weak", "strong"), "auto", "{}_typing", "auto is weak where the version knows it"
)
TACTIC_SOURCES = TreatmentField(
    "tactic_sources", ("default", "core", "all"), "default", "{}", "libraries that kernels may come from"
)
TIMING_CACHE = TreatmentField(
    "timing_cache",
    ("off", "on"),
    "off",
    meaning="on: later builds of a cell repeat the first one's choice of kernels",
)
CUDA_GRAPH = TreatmentField(
    "cuda_graph", ("off", "on"), "off", meaning="on: end-to-end passes replay a captured graph"
)
L2 = TreatmentField("l2", ("warm", "cold"), "warm", meaning="cold: the cache is flushed before each sample")
COPIES = TreatmentField(
    "copies", ("out", "in"), "out", meaning="host-device copies outside or inside the timed region"
)

COMMON: tuple[TreatmentField, ...] = (
    PRECISION,
    BATCH,
    RELU6,
    TENSOR_FORMAT,
    SOURCE,
    BATCH_MODE,
    TYPING,
    TACTIC_SOURCES,
    TIMING_CACHE,
    CUDA_GRAPH,
    L2,
    COPIES,
)
"""The fields that are no single runtime's, in the order of labels."""


WORDS = {
    RELU6.name: "ReLU6 in pieces",
    TENSOR_FORMAT.name: "{} inputs and outputs",
    TACTIC_SOURCES.name: "{} tactic sources",
    TIMING_CACHE.name: "one timing cache",
    CUDA_GRAPH.name: "as a CUDA graph",
    L2.name: "{} L2 cache",
}
"""How values that are not the default stand in sentences, where not as in labels."""


@dataclass(frozen=True, order=True)
class Treatment:
    """How a network is built and run: a value of each field of :data:`COMMON`, and of a runtime's own.

    A value the importer of a recording does not know is ``unknown``; ``uff`` (a source) stands in recordings
    and old bundles only.

    :param batch: images a run, or None where it is unknown
    :param own: name and value of fields that a runtime brings
    :param own_label: what those add to the label: with it, a bundle is read where the runtime is not known
    """

    precision: str = str(PRECISION.default)
    batch: int | None = 1
    relu6: str = str(RELU6.default)
    tensor_format: str = str(TENSOR_FORMAT.default)
    source: str = str(SOURCE.default)
    batch_mode: str = str(BATCH_MODE.default)
    typing: str = str(TYPING.default)
    tactic_sources: str = str(TACTIC_SOURCES.default)
    timing_cache: str = str(TIMING_CACHE.default)
    cuda_graph: str = str(CUDA_GRAPH.default)
    l2: str = str(L2.default)
    copies: str = str(COPIES.default)
    own: tuple[tuple[str, str | int], ...] = ()
    own_label: str = field(default="", compare=False)

    @cached_property
    def common_label(self) -> str:
        """What the common fields give the label: precision, batch, ReLU6, and the rest where not default."""
        values = self.common()
        return "-".join(item.text(values[item.name]) for item in COMMON if item.shows(values[item.name]))

    @cached_property
    def label(self) -> str:
        """The readable part of a cell id."""
        return "-".join(part for part in (self.common_label, self.own_label) if part)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The label for people, a part a field: ``FP32``, ``batch 1``, ``core tactic sources``."""
        values = self.common()
        said = [str(self.precision).upper(), f"batch {UNKNOWN if self.batch is None else self.batch}"]
        said += [WORDS[RELU6.name]] if self.relu6 == "relu_sub" else []
        rest = (item for item in COMMON if not item.always and item.shows(values[item.name]))
        said += [
            WORDS.get(item.name, item.text(values[item.name])).format(values[item.name]) for item in rest
        ]
        return tuple(part for part in (*said, self.own_label) if part)

    def common(self) -> dict[str, Value]:
        """Return the values of the common fields, by name."""
        return {item.name: self.__dict__[item.name] for item in COMMON}

    def as_json(self) -> dict[str, Value]:
        """Return the JSON form, every field present, a runtime's own behind the common ones."""
        return {**self.common(), **dict(self.own)}

    @classmethod
    def from_json(cls, data: Mapping[str, object], own_label: str | None = None) -> Treatment:
        """Read :meth:`as_json`'s form; a common field that is missing takes its default.

        :param own_label: what a runtime's own fields add to the label, ``NAME_VALUE`` of each where not known
        :raises ValueError: a field of another kind
        """
        common = {item.name for item in COMMON}
        for name, value in data.items():
            whole = type(value) is int
            if not (whole or value is None if name == "batch" else isinstance(value, str) or whole) or (
                whole and name in common - {"batch"}
            ):
                raise ValueError(f"a treatment's {name}: found {value!r:.40}")
        own = tuple((name, value) for name, value in data.items() if name not in common)
        if own_label is None:
            own_label = "-".join(f"{name}_{value}" for name, value in own)
        known = {name: value for name, value in data.items() if name in common}
        return cls(**known, own=own, own_label=own_label)  # type: ignore[arg-type]


@dataclass(frozen=True)
class TreatmentTable:
    """The fields that may be asked for here: the common ones, and those that runtimes bring.

    :param by_runtime: name of a runtime to the fields it knows, under the names they have in matrix files
    """

    by_runtime: Mapping[str, tuple[TreatmentField, ...]]

    @cached_property
    def fields(self) -> tuple[TreatmentField, ...]:
        """All fields, each once, the common ones first."""
        own = (item for known in self.by_runtime.values() for item in known if item not in COMMON)
        return tuple(dict.fromkeys((*COMMON, *own)))

    def runtimes(self, item: TreatmentField) -> tuple[str, ...]:
        """Return the names of the runtimes that know the field *item*."""
        return tuple(name for name, known in self.by_runtime.items() if item in known)

    def fitted(self, treatment: Treatment, runtime: str) -> Treatment:
        """Return *treatment* as a cell of *runtime* has it: with all of its own fields.

        Of the fields of others only what was asked for stays: such a cell is unsupported.
        """
        asked = dict(treatment.own)
        known = self.by_runtime.get(runtime, ())
        own: list[tuple[str, str | int]] = []
        shown: list[str] = []
        for item in self.fields[len(COMMON) :]:
            value = asked.get(item.name, item.default)
            if item in known or value != item.default:
                own.append((item.name, value))
                if item.shows(value):
                    shown.append(item.text(value))
        return Treatment(**treatment.common(), own=tuple(own), own_label="-".join(shown))  # type: ignore[arg-type]

    def unknown(self, treatment: Treatment, runtime: str) -> str | None:
        """Say which field of *treatment* is asked for and none that *runtime* knows, None without one."""
        known = self.by_runtime.get(runtime, COMMON)
        values = treatment.as_json()
        for item in self.fields:
            value = values.get(item.name, item.default)
            if item not in known and value != item.default:
                return f"{runtime} knows no treatment '{item.name}' (asked for: '{value}')"
        return None


def treatment_table(brought: Mapping[str, Sequence[TreatmentField]]) -> TreatmentTable:
    """Return the table of what runtimes say they know.

    A field of :data:`COMMON` is meant where a runtime names that very record. Another one whose name is
    taken, by a common field or by a different one of another runtime, gets the runtime's name in front:
    ``acme_precision``.

    :param brought: name of a runtime to its fields
    """
    names: dict[str, set[TreatmentField | None]] = {name: {None} for name in _KEYS}
    for items in (COMMON, *brought.values()):
        for item in items:
            names.setdefault(item.name, set()).add(item)

    def named(runtime: str, items: Sequence[TreatmentField]) -> Iterator[TreatmentField]:
        for item in items:
            taken = len(names[item.name]) > 1 and item not in COMMON
            yield replace(item, name=f"{runtime}_{item.name}") if taken else item

    return TreatmentTable({name: tuple(named(name, items)) for name, items in brought.items()})


_KEYS = ("networks", "runtimes")
"""Keys of a ``[[block]]`` that are no fields of treatments."""

COMMON_TABLE = TreatmentTable({})
"""The table where no runtime is known."""
