"""Figures of a run that stand beside its verdicts: records with numbers, one module a question.

It may import what the rest of the analysis may; how a number is written is not its business.
"""
