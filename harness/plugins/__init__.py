"""Hook specifications and the registry: everything that is known by name, built in or from a third party.

It may import every room that has a protocol of a part; the rooms of the parts never import it.
"""
