"""Configuration: frozen settings by section, read from one TOML file and the environment.

Imported by ``bootstrap``, ``cli``, ``demo`` and ``serving`` alone; everything else is handed values.
"""
