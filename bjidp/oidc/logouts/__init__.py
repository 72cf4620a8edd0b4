"""Telling relying parties that somebody is logged in no more, and being asked by them to log somebody out."""
