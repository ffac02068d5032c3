"""Versions, a network and a treatment on the command line: what ``compare`` measures and ``pack`` packs."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import BadOptionError, UnknownNameError
from harness.matrix.compose import Question
from harness.matrix.treatment import COMMON

if TYPE_CHECKING:
    from harness.execution.parts import Parts

NETWORK = "mobilenet_v2"
"""What is measured where no network is named."""


def add_treatment(parser: argparse._ActionsContainer) -> None:
    """Add an option for each common field of a treatment."""
    for item in COMMON:
        parser.add_argument(
            f"--{item.name.replace('_', '-')}",
            dest=f"treatment_{item.name}",
            metavar="VALUE",
            help=f"{item.allowed}; {item.meaning} ({item.default})",
        )


def treatment_of(arguments: argparse.Namespace) -> Mapping[str, str]:
    """Return the fields of the treatment that were given."""
    said = {item.name: getattr(arguments, f"treatment_{item.name}") for item in COMMON}
    return {name: value for name, value in said.items() if value is not None}


def asked(words: Sequence[str], treatment: Mapping[str, str]) -> tuple[Question, Path | None]:
    """Return what *words* ask, and the file of the network where they name one.

    :param words: ``RUNTIME==VERSION``, at least two, and at most one network
    :raises BadOptionError: they are something else
    """
    from harness.execution.plan import network_name
    from harness.matrix.compose import versions_of

    runtime, versions = versions_of([word for word in words if "==" in word])
    others = [word for word in words if "==" not in word]
    if len(others) > 1:
        raise BadOptionError(f"'{others[0]}' and '{others[1]}': name one network")
    network = others[0] if others else NETWORK
    file = own_file(network)
    question = Question(
        runtime=runtime,
        versions=versions,
        network=network if file is None else network_name(file),
        treatment=treatment,
    )
    return question, file


def own_file(network: str) -> Path | None:
    """Return the ONNX file, GraphDef or SavedModel that *network* is, None where it is a name."""
    own = network.endswith((".onnx", ".pb")) or Path(network, "saved_model.pb").is_file()
    return Path(network) if own else None


def check_runtime(question: Question, parts: Parts) -> None:
    """Refuse a runtime that there is not.

    :raises UnknownNameError: it is none of those of *parts*
    """
    if question.runtime not in parts.runtimes:
        known = ", ".join(parts.runtimes)
        raise UnknownNameError(f"'{question.runtime}' is no runtime here; known are {known}")
