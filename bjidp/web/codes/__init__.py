"""Captchas and one-time codes as pages and callbacks see them."""
