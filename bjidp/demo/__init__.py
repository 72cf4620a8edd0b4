"""The demonstration: the ordinary server beside the sandbox and the portal, on one machine; ``running`` starts it."""
