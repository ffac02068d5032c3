"""Judgement: from observed builds to costs, intervals, verdicts, baselines and the search for a change.

It may import observations and what lies below them; it reads no file, draws no page, and asks no plugin
manager: rules are given to it.
"""
