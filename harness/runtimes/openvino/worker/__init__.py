"""OpenVINO on the CPU, inside an environment."""

from .steps import run

__all__ = ["run"]
