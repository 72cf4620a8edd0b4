"""Adapters of the store ports: ``memory`` (one process), ``redis`` (many), ``sql`` (what must last)."""
