"""Levels, intervals, thresholds and change points: arithmetic on numbers alone.

It imports NumPy and SciPy and nothing of the harness.
"""
