"""What `benchmarks/mutants.py` is made of: the draw, which tests run a line, the runs in a copy."""
