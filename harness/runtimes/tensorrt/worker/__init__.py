"""TensorRT through every dialect from 5.0 to 11, and TensorRT-RTX, inside an environment."""

from .steps import run

__all__ = ["run"]
