"""What rules bring to a report beside their verdicts: titles and sections, each made once."""

from __future__ import annotations

from collections.abc import Mapping

from harness.analysis.rules.base import Rule, RuleSection
from harness.errors import PluginError
from harness.observations.records import RunObservation


def rule_titles(rules: Mapping[str, Rule]) -> dict[str, str]:
    """Return the titles of *rules* by name, in their order; the name of a rule whose title raises."""
    titles = {}
    for name, rule in rules.items():
        try:
            titles[name] = rule.title
        except PluginError:
            titles[name] = name
    return titles


def rule_sections(run: RunObservation, rules: Mapping[str, Rule]) -> dict[str, RuleSection]:
    """Return the sections of *rules* that have something to say of *run*, by the rule's name.

    A rule that raises has a section that says so.
    """
    sections = {}
    for name, rule in rules.items():
        try:
            made = rule.section(run)
        except PluginError as error:
            made = RuleSection(name, (str(error),))
        if made is not None:
            sections[name] = made
    return sections
