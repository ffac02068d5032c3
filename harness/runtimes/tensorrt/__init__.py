"""TensorRT, through whichever dialect a version speaks.

It may import what runtimes may.
"""
