"""Owned by its modules; see their docstrings."""
