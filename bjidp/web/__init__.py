"""The server's face over HTTP: thin handlers, one module per flow, over the features' use cases.

From the ground up: ``http``, ``words``, ``pages``, ``server``, ``forms``, ``qr``, and over them what people do.
"""
