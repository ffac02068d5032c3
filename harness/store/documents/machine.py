"""A machine that a run was made on, as manifests state it."""

from __future__ import annotations

from msgspec import field

from harness.store.documents.base import Part, as_json


class Gpu(Part, frozen=True, kw_only=True):
    """An NVIDIA GPU; None is not known.

    :param processes: that computed on it when the run began
    :param persistence: whether its driver stays loaded
    """

    name: str | None = None
    uuid: str | None = None
    compute_capability: str | None = None
    memory_bytes: int | None = None
    driver: str | None = None
    processes: int | None = None
    persistence: bool | None = None


class Neighbours(Part, frozen=True, kw_only=True):
    """What others took of a machine while a run lasted, as shares of the time of all CPUs; None is not known.

    :param others: programs beside the harness and its workers
    :param steal: other guests of the hypervisor
    """

    others: float | None = None
    steal: float | None = None


class Machine(Part, frozen=True, kw_only=True):
    """What is known of a machine; None is not known.

    :param host: name of the machine (of the GPU, for hosts of packs)
    :param cpus: logical; :param load_1_minute: when the run began
    :param cpu_governor: of their frequencies; :param cpu_turbo: whether they may go above their base clock
    """

    host: str | None = None
    system: str | None = None
    kernel: str | None = None
    architecture: str | None = None
    python: str | None = None
    cpu: str | None = None
    cpus: int | None = None
    memory_bytes: int | None = None
    load_1_minute: float | None = None
    cpu_governor: str | None = None
    cpu_turbo: bool | None = None
    gpus: tuple[Gpu, ...] = field(default=())

    def facts(self) -> dict[str, str | int | float]:
        """Return what is known, without the GPUs, by name."""
        return {k: v for k, v in as_json(self).items() if k != "gpus" and v is not None}
