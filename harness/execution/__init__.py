"""A matrix becomes builds in a bundle: plan, preflight, schedule, jobs, executors.

It may import environments, runtimes, observations and what lies below; registered parts are given to it.
"""
