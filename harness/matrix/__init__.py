"""Matrix files, treatments and cells.

It imports errors and the version order.
"""
