"""Who is at a page with a form, what they posted, and where they are led."""
