"""Runs read back: builds with their identity, samples and attributed layers; and the tables made of them.

It may import runtimes, attribution, store and what lies below; nothing here measures or judges.
"""
