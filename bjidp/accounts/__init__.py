"""Accounts: who somebody is here, what belongs to them alone, and how their values are shown."""
