"""The mini-program's calls under ``/mp/v1`` (wire.md, sections 3 and 4); everything is decided in the features."""
