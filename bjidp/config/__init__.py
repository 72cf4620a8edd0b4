"""Configuration: frozen settings by section, read from one TOML file and the environment.

Imported by ``bootstrap`` and ``cli`` alone; everything else is handed values.
"""
