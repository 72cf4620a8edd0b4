"""The server's face over HTTP: thin handlers, one module per flow, over the features' use cases."""
