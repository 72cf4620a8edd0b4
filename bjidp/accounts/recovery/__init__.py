"""A forgotten password (REC-1 to REC-4): who asks for a new one, how they prove whose account it is, and the write."""
