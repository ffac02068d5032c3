"""What rows call the hosts that builds were measured on; only rows of one host may be compared."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from harness.observations.records import RunObservation


@dataclass(frozen=True)
class HostNames:
    """The hosts of a run as its rows name them.

    :param names: a GPU's UUID cut to its first part where this tells all apart, else the host as it is
    :param models: the model of its GPU, for hosts with one
    """

    names: Mapping[str, str]
    models: Mapping[str, str]

    @classmethod
    def of(cls, run: RunObservation) -> HostNames:
        """Return the names of the hosts of *run*."""
        builds = [build for seen in run.cells for build in seen.builds]
        hosts = list(dict.fromkeys(build.host for build in builds))
        models = {build.host: str(build.facts["gpu"]) for build in builds if build.facts.get("gpu")}
        short = {host: _cut(host) for host in hosts}
        alike = len(set(short.values())) < len(hosts)
        return cls({host: host for host in hosts} if alike else short, models)

    @property
    def mixed(self) -> bool:
        """Whether the GPUs are of several models, so that a row has to say which it was measured on."""
        return len(set(self.models.values())) > 1

    def label(self, host: str) -> str:
        """Return what tells *host* from the others: ``GPU-38793a65``, with its model where these differ."""
        name = self.names.get(host, host)
        return f"{self.models[host]} {name}" if self.mixed and host in self.models else name

    def where(self, host: str, among: Collection[str]) -> str:
        """Return what a row of *host* says of it, beside rows of the same name on the hosts *among*.

        Nothing where there is one host, or one host for this name and one model of GPU for all.
        """
        if len(among) > 1:
            return self.label(host)
        return self.models.get(host, "") if self.mixed else ""


def _cut(host: str) -> str:
    return "-".join(host.split("-")[:2]) if host.startswith("GPU-") else host
