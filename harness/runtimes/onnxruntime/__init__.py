"""onnxruntime on the CPU, from ONNX files.

It may import what runtimes may.
"""
