"""人工申诉: people decide whose an identity is, where no proof on a page does (RNV-8)."""
