"""The catalogue's words, for pages, problems and messages."""
