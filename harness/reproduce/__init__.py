"""From a verdict to a bug report: the source ops that carry a change, cut out, measured alone and made small.

It may import every room below it: plan and measurements, analysis, networks and what is registered.
"""
