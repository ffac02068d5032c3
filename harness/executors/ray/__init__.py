"""Blocks on the nodes of a Ray cluster; ray itself is imported when a run asks for it."""
