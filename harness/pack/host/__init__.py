"""The part of a pack that runs on the GPU host: standard library and Zstandard only, syntax of Python 3.8.

It travels as the package ``host`` beside the package ``worker`` and imports nothing else of the harness.
"""
