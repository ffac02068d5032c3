"""Recorded files into a bundle: a version that nobody runs any more stands beside measured ones.

It may import plugins, observations and what lies below.
"""
