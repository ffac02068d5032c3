"""Nights: runs kept in a folder of Parquet tables, their series over time, and where a series changed.

It may import analysis and what stands below it, and gives analysis the levels of earlier nights as records of
analysis; what draws a page or sends a message reads from here and is never called.
"""
