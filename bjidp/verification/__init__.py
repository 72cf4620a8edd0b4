"""One-time codes: how often one may be asked for, its sending, its tries. Called by the features above it."""
