"""Running the server: its processes, its port, what stops it, and what it deletes meanwhile; ``cli`` starts it."""
