"""Legal persons, who leads them, and who may act for them."""
