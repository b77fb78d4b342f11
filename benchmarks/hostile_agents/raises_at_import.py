"""Fails as it is imported."""

raise RuntimeError("no import today")


class FailsToImport:
    """Never comes to be."""
