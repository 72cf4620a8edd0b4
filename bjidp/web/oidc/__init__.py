"""The provider on HTTP: what relying parties ask by themselves, and where they send their users."""
