"""A matrix from a question on the command line: some versions of one runtime, one network, one treatment."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BadOptionError
from harness.matrix.file import MATRIX_SCHEMA, MatrixFile, matrix_of
from harness.matrix.treatment import TreatmentTable

SECONDS = 0.5
"""Of a pass of one build at first: what is not known well enough then gets more."""

PACKED_SECONDS = 1.5
"""Of a pass of one build on a host that is visited once: nothing gets more there."""


@dataclass(frozen=True)
class Question:
    """What is to be compared.

    :param runtime: name of the runtime; :param versions: at least two, the first is the baseline
    :param environment: where the versions live, None for the runtime's preferred one
    :param network: name of a network; :param treatment: fields of the treatment that are not default
    :param builds: of each version at first; :param minutes: of the whole
    :param precision: half of the 95 % interval of the latency's change that is asked for, of 1
    :param seconds: of a pass of one build, at first
    """

    runtime: str
    versions: tuple[str, ...]
    network: str
    treatment: Mapping[str, str]
    environment: str | None = None
    builds: int = 3
    minutes: float = 5.0
    precision: float = 0.01
    seconds: float = SECONDS


def versions_of(words: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return runtime and versions of ``RUNTIME==VERSION`` words.

    :raises BadOptionError: fewer than two, one twice, another form, or several runtimes
    """
    said = [word.partition("==") for word in words]
    if wrong := [word for word, one in zip(words, said, strict=True) if not (one[0] and one[1] and one[2])]:
        raise BadOptionError(f"'{wrong[0]}': expected RUNTIME==VERSION, such as tensorrt==8.6.0")
    runtimes = list(dict.fromkeys(runtime for runtime, _, _ in said))
    versions = tuple(version for _, _, version in said)
    if len(runtimes) > 1:
        raise BadOptionError(
            f"{runtimes[0]} and {runtimes[1]}: versions of one runtime are compared, not runtimes"
        )
    if len(versions) < 2 or len(set(versions)) != len(versions):
        raise BadOptionError("name at least two versions, each once: RUNTIME==OLD RUNTIME==NEW")
    return runtimes[0], versions


def compose(question: Question, treatments: TreatmentTable) -> MatrixFile:
    """Return the matrix of *question*.

    :raises InputError: a treatment that there is not
    """
    text = _text(question)
    return matrix_of(Path("comparison"), text, tomllib.loads(text), treatments)


def _text(question: Question) -> str:
    said = ", ".join(question.versions)
    lines = [
        f"schema = {_quoted(MATRIX_SCHEMA)}",
        f"description = {_quoted(f'{question.network} on {question.runtime} {said}')}",
        "[run]",
        f"builds = {question.builds}",
        f"minutes = {question.minutes}",
        f"precision = {question.precision}",
        "[measure]",
        f"maximum_seconds = {question.seconds}",
        "[policy]",
        f"baseline = {_quoted(question.versions[0])}",
        "[[versions]]",
        f"runtime = {_quoted(question.runtime)}",
        f"versions = [{', '.join(map(_quoted, question.versions))}]",
    ]
    if question.environment is not None:
        lines.append(f"environment = [{_quoted(question.environment)}]")
    lines += ["[[block]]", f"networks = [{_quoted(question.network)}]"]
    lines += [f"{name} = [{_value(value)}]" for name, value in question.treatment.items()]
    return "\n".join(lines) + "\n"


def _value(text: str) -> str:
    """Return a treatment's value: numbers are numbers."""
    return text if text.isascii() and text.isdecimal() else _quoted(text)


def _quoted(text: str) -> str:
    # JSON's strings are TOML's, but for DEL, which TOML wants escaped, and bytes that are no UTF-8.
    readable = text.encode("utf-8", "replace").decode("utf-8")
    return json.dumps(readable, ensure_ascii=False).replace("\x7f", "\\u007f")
