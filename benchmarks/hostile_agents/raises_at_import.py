"""Fails as it is imported."""

raise RuntimeError("no import today")


class Agent:
    """Never comes to be."""
