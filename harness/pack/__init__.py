"""Packs: what travels to a GPU host without network, and how its results come home."""
