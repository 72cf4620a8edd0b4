"""Logging in on a page: by password, and by a code to the phone."""
