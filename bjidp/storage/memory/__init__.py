"""Stores that live and die with one process, for what is short-lived anyway.

Every operation is one uninterrupted block on the event loop, which is what makes compare-and-set atomic here.
"""
