"""Where a version lives: virtual environments, the current interpreter, containers.

It may import store and what lies below; of a runtime it knows what :mod:`harness.environments.needs` says.
"""
