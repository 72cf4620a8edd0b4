"""What a relying party asks for when it sends its user here: the checks, and what is missing before it may be given."""
