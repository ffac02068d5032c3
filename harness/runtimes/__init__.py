"""What builds and runs an engine, one folder a runtime: needs, refusals, evidence, attribution.

It may import environments, attribution, evidence, store, matrix and networks.
"""
