"""Networks as graphs of source ops: weights, FLOPs, ONNX files, reference outputs and their bounds.

It imports errors and nothing else of the harness.
"""
