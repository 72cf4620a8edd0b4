"""Chuanglan (创蓝): short messages.

Owns two of its interfaces: ``texts`` is v1, which is sent whole texts, ``templates`` is v2, which is sent values. The
reports of both are read in ``reports``. Assembled by ``bjidp.vendors.catalog``.
"""
