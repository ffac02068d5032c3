"""What a run answers, in words: which version to use, what became of each bottleneck, what is open.

It may import what the rest of the analysis may. Numbers come from verdicts and figures.
"""
