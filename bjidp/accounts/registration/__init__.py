"""Registration on the pages for computers and for phones (REG-1 to REG-3, REG-6)."""
