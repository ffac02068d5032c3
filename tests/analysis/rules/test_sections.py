"""Titles and sections that rules bring, also of rules that raise."""

from __future__ import annotations

from typing import Any

from harness.analysis.rules.base import Cost, Rule, RuleSection
from harness.analysis.rules.sections import rule_sections, rule_titles
from harness.errors import PluginError
from harness.observations.records import BuildObservation, RunObservation

SAID = RuleSection("Warm caches", ("They were warm.",), ("cache", "hits"), (("l2", "9"),))


class Speaks(Rule):
    name = "speaks"
    title = "speaking"

    def __init__(self) -> None:
        self.seen: list[RunObservation] = []

    def cost(self, _build: BuildObservation) -> Cost | None:
        return None

    def section(self, run: RunObservation) -> RuleSection | None:
        self.seen.append(run)
        return SAID


class Silent(Rule):
    name = "silent"
    title = "silence"

    def cost(self, _build: BuildObservation) -> Cost | None:
        return None


class Raises(Silent):
    name = "raises"

    @property
    def title(self) -> str:  # type: ignore[override]
        raise PluginError("part 'raises' of acme: title raised")

    def section(self, _run: RunObservation) -> RuleSection | None:
        raise PluginError("part 'raises' of acme: section() raised")


def test_sections_are_those_of_rules_that_have_something_to_say(compose: Any) -> None:
    run, speaks = compose.run(), Speaks()
    rules: dict[str, Rule] = {"raises": Raises(), "silent": Silent(), "speaks": speaks}
    found = rule_sections(run, rules)
    assert list(found) == ["raises", "speaks"]
    assert found["speaks"] is SAID
    assert speaks.seen == [run]
    assert found["raises"] == RuleSection("raises", ("part 'raises' of acme: section() raised",))


def test_a_rule_whose_title_raises_is_called_by_its_name() -> None:
    rules: dict[str, Rule] = {"speaks": Speaks(), "raises": Raises(), "silent": Silent()}
    assert list(rule_titles(rules).items()) == [
        ("speaks", "speaking"),
        ("raises", "raises"),
        ("silent", "silence"),
    ]
