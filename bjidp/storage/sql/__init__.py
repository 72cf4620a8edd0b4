"""Accounts, sessions and the audit log in SQLite or PostgreSQL, by the same code.

The map: ``schema`` the tables; ``database`` how they are asked; ``accounts``, ``members``, ``sessions`` and their like
the ports, over modules that write rows within a transaction (``account_rows``, ``link_rows``, ``admission``); ``rows``
how rows become nouns; ``rotation`` fills a new key version; ``migrations`` the schema's history; ``catalog`` opens it
all.
"""
