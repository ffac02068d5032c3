"""Which dialect a TensorRT speaks, told from what it offers."""

from typing import Any, Dict, Type  # noqa: F401

from harness.worker.errors import FailedError, UnsupportedError

from .dialect_config import Configured
from .dialect_legacy import Legacy
from .dialect_named import Named
from .dialect_serialized import Serialized
from .dialect_strong import Strong
from .features import Features
from .plan import Plan

DIALECTS = {
    "A": Legacy,
    "B": Configured,
    "C": Serialized,
    "D": Named,
    "E": Strong,
}  # type: Dict[str, Type[Legacy]]

# What a dialect's own calls need: a later version that kept them can be made to speak it.
_NEEDS = {
    "A": ("cuda_build", "execute_batch"),
    "B": ("config", "live_build", "execute_async_v2"),
    "C": ("serialized_build", "execute_async_v2"),
    "D": ("serialized_build", "named_tensors", "execute_async_v3", "weak_typing"),
    "E": ("serialized_build", "named_tensors", "execute_async_v3"),
}


def letter_of(features: Features) -> str:
    """Return the dialect that a version speaks by itself, ``A`` to ``E``."""
    if not features.config:
        return "A"
    if not features.serialized_build:
        return "B"
    if not features.named_tensors:
        return "C"
    return "D" if features.weak_typing else "E"


def choose(trt: Any, features: Features, plan: Plan) -> Type[Legacy]:
    """Return the dialect for *plan*: that of the version, B for implicit batch, or the one forced.

    :raises FailedError: no such dialect
    :raises UnsupportedError: the version lacks the calls of the one asked for
    """
    asked = str(plan.options["dialect"])
    own = letter_of(features)
    # Only the calls by batch size run an implicit-batch engine, whatever else the version offers.
    letter = asked if asked != "auto" else "B" if plan.implicit and own in "CD" else own
    if letter not in DIALECTS:
        raise FailedError("job: options.dialect '{}' is none of A to E".format(letter))
    lacking = [name for name in _NEEDS[letter] if not getattr(features, name)]
    if lacking:
        raise UnsupportedError("dialect {}: this version lacks {}".format(letter, ", ".join(lacking)))
    return DIALECTS[letter]
