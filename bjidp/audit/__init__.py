"""What happened, to which account, in references and codes alone (OPS-8)."""
