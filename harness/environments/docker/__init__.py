"""Containers: engine, catalogue of images, recipes, posture, the worker inside.

It may import its siblings in environments and what lies below.
"""
