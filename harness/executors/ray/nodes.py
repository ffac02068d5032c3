"""Nodes of a Ray cluster as places for blocks: their devices by Ray's own resources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.distribution import __version__
from harness.execution.fleet import GPU, Place
from harness.executors.survey import code_digest
from harness.store.documents.base import UNKNOWN
from harness.store.documents.origin import CPU, Host


def names(nodes: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return what each node is called, by id: its machine, where several share it with the id's beginning."""
    machines = [str(node["NodeManagerHostname"]) for node in nodes]
    return {
        str(node["NodeID"]): machine if machines.count(machine) == 1 else f"{machine}/{node['NodeID'][:6]}"
        for node, machine in zip(nodes, machines, strict=True)
    }


def places_of(node: Mapping[str, Any], name: str, found: Mapping[str, Any]) -> list[Place]:
    """Return the places of *node*: one for each GPU that Ray counts, and one for its CPUs if it has any.

    :param found: what :func:`harness.executors.survey.survey` said there
    """
    resources = node["Resources"]
    gpus = int(resources.get("GPU", 0))
    uuids = found["gpus"]
    # Which of several GPUs a block gets is Ray's choice; the block's own builds say it.
    device = uuids[0] if gpus == 1 == len(uuids) else UNKNOWN
    refusals = {tuple(need): tuple(said) for need, said in found["refusals"]}
    kinds = [(GPU, device, number) for number in range(gpus)]
    if resources.get("CPU", 0) >= 1:
        kinds.append((CPU, CPU, 0))
    return [
        Place(
            str(node["NodeID"]),
            name,
            kind,
            Host(machine=found["machine"], device=device),
            number,
            gpus,
            refusals,
        )
        for kind, device, number in kinds
    ]


def demands(place: Place, resources: Mapping[str, float]) -> dict[str, float]:
    """Return what is asked of Ray for a block on *place*: a GPU, or all CPUs: nothing is put beside it."""
    cpus = float(resources.get("CPU", 0))
    if place.kind == GPU:
        return {"num_gpus": 1.0, "num_cpus": min(1.0, cpus)}
    return {"num_gpus": 0.0, "num_cpus": cpus}


def problem_of(found: Mapping[str, Any]) -> str | None:
    """Return why a node cannot be used, given what it said of itself; None where it can."""
    if "missing" in found:
        return f"trtmatrix cannot be imported there ({found['missing']})"
    if found["version"] != __version__:
        return f"has trtmatrix {found['version']}, and this is {__version__}"
    if found["code"] != code_digest():
        return f"has trtmatrix {found['version']} too, with other code"
    return None
