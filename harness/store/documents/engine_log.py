"""``evidence/engine_log.json``: what a builder log says of the engine itself.

It stands beside the log in the bundle of a run, so that layers and kernels are known without reading
it again.
"""

from __future__ import annotations

from harness.store.documents.base import Document, Part
from harness.store.documents.builder_log import LoggedLayer


class NamedKernel(Part, frozen=True, kw_only=True):
    """The kernel that a runner calls by a tactic id, ``0x`` and 16 hexadecimal digits."""

    runner: str | None
    tactic_id: str
    kernel: str


class EngineLog(Document, frozen=True, kw_only=True, tag="trtmatrix.engine-log/1"):
    """What attribution takes from a builder log.

    :param kernels: of the tactics that layers name by id alone, in the order in which the log names them last
    :param engine_layers: as the log lists them, empty where the engine describes itself
    """

    kernels: tuple[NamedKernel, ...] = ()
    engine_layers: tuple[LoggedLayer, ...] = ()
