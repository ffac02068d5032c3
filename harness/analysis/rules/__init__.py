"""The bottleneck rules: what a cost is in one build, and the evidence beside it.

They may import attribution and observations; one file a rule, registered as a third party registers its own.
"""
