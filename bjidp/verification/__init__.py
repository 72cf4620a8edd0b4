"""How often a message may be asked for. Called by the features above it."""
