"""Engine layers tied to source ops, kernel families, and the cost model of a device.

It may import evidence, matrix and networks; it knows one build at a time and judges nothing.
"""
