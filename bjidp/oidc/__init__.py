"""The OpenID provider: relying parties, what they ask for, and the tokens they are given."""
