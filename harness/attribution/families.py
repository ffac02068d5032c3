"""Kernel families from runners, layer types and kernel names, by the rules of ``families.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from harness.attribution.engine import KernelFamily
from harness.attribution.joining import bare_runner, tactic_key
from harness.errors import RulesFileError
from harness.versions import parse, side_of

RULES = Path(__file__).with_name("families.toml")

GEMM_FAMILIES = frozenset({KernelFamily.GEMM, KernelFamily.GEMM_AS_CONV1X1})
"""What counts as "a GEMM kernel": a 1x1 convolution run as a real matrix product."""


@dataclass(frozen=True, slots=True)
class FamilyRule:
    """One rule; a key that is None does not restrict. See ``families.toml`` for what the keys mean."""

    family: KernelFamily
    kernel: re.Pattern[str] | None = None
    type: re.Pattern[str] | None = None
    name: re.Pattern[str] | None = None
    tactics: frozenset[str] | None = None
    since: str | None = None
    before: str | None = None

    def fits(
        self,
        kernel: str | None,
        kind: str | None,
        name: str | None,
        tactic: str | None,
        version: str | None,
    ) -> bool:
        """Say whether every key of the rule fits."""
        if self.kernel is not None and not (kernel and self.kernel.search(kernel)):
            return False
        if self.type is not None and not (kind and self.type.fullmatch(kind)):
            return False
        if self.name is not None and not (name and self.name.search(name)):
            return False
        if self.tactics is not None and tactic not in self.tactics:
            return False
        return self._of_version(version)

    def _of_version(self, version: str | None) -> bool:
        if self.since is None and self.before is None:
            return True
        if version is None or parse(version) is None:
            return False
        return (self.since is None or side_of(version, self.since) != -1) and (
            self.before is None or side_of(version, self.before) == -1
        )


def load_rules(path: Path = RULES) -> tuple[FamilyRule, ...]:
    """Read a rule file.

    :raises InputError: not TOML, an unknown family or key, or a bad regular expression
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))["rule"]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError) as error:
        raise RulesFileError(path, f"expected TOML with [[rule]] tables: {error}") from None
    return tuple(_rule(path, number, dict(table)) for number, table in enumerate(tables, start=1))


def _rule(path: Path, number: int, table: dict[str, object]) -> FamilyRule:
    where = f"rule {number}"
    table.pop("why", None)
    if unknown := sorted(set(table) - set(FamilyRule.__dataclass_fields__)):
        raise RulesFileError(path, f"unknown key '{unknown[0]}'", where=where)
    try:
        tactics = table.get("tactics")
        patterns = {key: re.compile(str(table[key])) for key in ("kernel", "type", "name") if key in table}
        versions = {key: _bound(str(table[key])) for key in ("since", "before") if key in table}
        return FamilyRule(
            family=KernelFamily(str(table["family"])),
            kernel=patterns.get("kernel"),
            type=patterns.get("type"),
            name=patterns.get("name"),
            tactics=frozenset(str(tactic_key(str(t))) for t in tactics)
            if isinstance(tactics, list)
            else None,
            since=versions.get("since"),
            before=versions.get("before"),
        )
    except (KeyError, ValueError, re.error) as error:
        raise RulesFileError(path, f"{error}", where=where) from None


def _bound(version: str) -> str:
    if parse(version) is None:
        raise ValueError(f"'{version}' is no version")
    return version


@cache
def built_in_rules() -> tuple[FamilyRule, ...]:
    """Return the rules that come with trtmatrix."""
    return load_rules()


def kernel_family(
    kernel: str | None,
    kind: str | None = None,
    *,
    name: str | None = None,
    tactic: str | None = None,
    version: str | None = None,
    rules: Sequence[FamilyRule] | None = None,
) -> KernelFamily:
    """Return the family of a kernel, ``unknown`` where no rule fits.

    :param kernel: kernel name, as printed
    :param kind: runner or engine layer type (a number behind it in brackets is dropped)
    :param name: engine layer name, for profiles that give nothing else
    :param tactic: tactic id, as printed
    :param version: TensorRT version, where known
    """
    if rules is None:
        return _built_in_family(kernel, kind, name, tactic, version)
    return _family(kernel, kind, name, tactic, version, rules)


@lru_cache(maxsize=65536)
def _built_in_family(
    kernel: str | None, kind: str | None, name: str | None, tactic: str | None, version: str | None
) -> KernelFamily:
    """Return the family by the rules that come along; the builds of a run name the same kernels again."""
    return _family(kernel, kind, name, tactic, version, built_in_rules())


def _family(
    kernel: str | None,
    kind: str | None,
    name: str | None,
    tactic: str | None,
    version: str | None,
    rules: Sequence[FamilyRule],
) -> KernelFamily:
    key, runner = tactic_key(tactic), bare_runner(kind)
    for rule in rules:
        if rule.fits(kernel, runner, name, key, version):
            return rule.family
    return KernelFamily.UNKNOWN
