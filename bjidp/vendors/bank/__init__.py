"""The banks' common door: do a person, a debit card and the phone number reserved for it belong together?

Owns the client of ``POST /v1/verify`` and what its codes come to. Assembled by ``bjidp.vendors.catalog``.
"""
