"""Wake-ups between processes: "this changed, read it again"."""
