"""A stored run as tables: rows for CSV and Parquet, and DataFrames for notebooks (``harness.read``).

It may import plugins, analysis and what lies below; nothing here judges or measures anew.
"""
