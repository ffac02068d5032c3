"""The frame of every worker, which runs inside environments: standard library, NumPy, Python 3.5 syntax.

It may import nothing of the others; all of them may import it.
"""
