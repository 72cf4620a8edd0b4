"""The business register: does an organisation exist under this code and name, and who is its 法定代表人?

Owns the client of ``POST /v1/check``. Assembled by ``bjidp.vendors.catalog``.
"""
