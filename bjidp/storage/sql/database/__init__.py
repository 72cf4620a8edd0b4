"""The database itself: how it is reached, asked and written to. It knows no table.

The map: ``statements`` Core statements compiled once; ``engine`` what may be asked of a database, done by ``sqlite``
(over ``group_commit``, ``threads`` and their ``turns``) and by ``postgresql`` (over ``pipeline`` and ``threads``);
``dialects`` how either is connected to; ``transaction`` and ``jobs`` what they run. Called by every store beside it.
"""
