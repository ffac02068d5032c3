"""Executors that have blocks measured on other machines, and what runs there: Ray, the process of a node.

It may import the registry of plugins, execution and what lies below; what it needs is loaded when it is asked
for.
"""
