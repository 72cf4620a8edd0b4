"""Accounts, sessions and the audit log in SQLite or PostgreSQL, by the same code.

The map: ``schema`` the tables; ``statements`` Core statements compiled once; ``engine`` what may be asked of a
database, done by ``sqlite`` (over ``group_commit`` and ``threads``) and by ``postgresql`` (over ``pipeline`` and
``threads``); ``databases`` how either is connected to, ``transaction`` and ``jobs`` what they run; ``accounts``,
``sessions``, ``mini_sessions`` and ``audit`` the ports, over ``admission``; ``rows`` how rows become nouns;
``rotation`` fills a new key version; ``migrations`` the schema's history; ``catalog`` opens it all.
"""
