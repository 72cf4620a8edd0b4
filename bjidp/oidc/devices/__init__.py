"""The device authorization grant (RFC 8628): who has no browser shows a code that somebody's phone confirms."""
