"""Keys, and what they do to personal values: sealed fields and records, blind indexes, pseudonyms."""
