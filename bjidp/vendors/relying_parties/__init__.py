"""Relying parties: sites that are told when somebody is logged in no more.

Owns the client of OpenID Connect Back-Channel Logout 1.0. Assembled by ``bjidp.vendors.catalog``.
"""
