"""TensorRT-RTX, which builds engines without a GPU.

It may import what runtimes may; worker, evidence and attribution are those of TensorRT.
"""
