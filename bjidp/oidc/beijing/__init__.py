"""The city's own interface, for sites that are integrated with it already; nothing of it meets OpenID Connect."""
