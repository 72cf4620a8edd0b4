"""A terminal as a device: it asks a server for codes, draws one, waits, and keeps the tokens it is given (RP-3)."""
