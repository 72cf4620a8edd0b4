"""What an answer to a relying party is worth, and for how long: codes, grants and the tokens of a grant."""
