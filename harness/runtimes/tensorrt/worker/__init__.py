"""TensorRT through every dialect from 5.0 to 11, and TensorRT-RTX, inside an environment."""

from .steps import Worker

__all__ = ["Worker"]
