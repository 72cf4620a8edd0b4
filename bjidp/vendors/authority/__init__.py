"""The authority that issues identity documents: does this name belong to this number?

Owns the client of ``POST /v1/check``. Assembled by ``bjidp.vendors.catalog``.
"""
