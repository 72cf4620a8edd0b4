"""The revisions, oldest first by their number. A released revision is never edited."""
