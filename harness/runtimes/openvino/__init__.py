"""OpenVINO's CPU plugin, from ONNX files.

It may import what runtimes may.
"""
