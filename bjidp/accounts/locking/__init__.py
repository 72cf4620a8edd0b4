"""Accounts that staff lock and unlock, and what follows for whoever is logged in there (OPS-7)."""
