"""Packs: what travels to a GPU host without network, and how its results come home.

It may import plugins, execution and what lies below; ``host`` runs there and imports nothing of the harness.
"""
