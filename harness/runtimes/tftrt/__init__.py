"""TF-TRT: TensorFlow's graphs, of which TensorRT runs segments.

It may import what runtimes may, and those of TensorFlow and TensorRT.
"""
