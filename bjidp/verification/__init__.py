"""One-time codes sent to an address, and how often they may be asked for. Called by the features above it."""
