"""Accounts, sessions and the audit log in SQLite or PostgreSQL, by the same code.

The map: ``schema`` the tables; ``engine`` threads, connections, transactions and failures; ``statements`` Core
statements compiled once; ``accounts``, ``sessions``, ``mini_sessions`` and ``audit`` the ports; ``rows`` how rows
become nouns; ``rotation`` fills a new key version; ``migrations`` the schema's history; ``catalog`` opens it all.
"""
