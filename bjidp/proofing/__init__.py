"""Who somebody says they are: documents, names, and which numbers this deployment serves."""
