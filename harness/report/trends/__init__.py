"""The page of nights: views of the series of a history, and one self-contained HTML file.

Part of the room ``report``: it may import records of the history, nothing that reads or judges.
"""
