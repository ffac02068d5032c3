"""TensorFlow, from graphs written op by op.

It may import what runtimes may.
"""
