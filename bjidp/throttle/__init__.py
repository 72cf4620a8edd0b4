"""How often something may be done: the port, the windows, and the limits of the house."""
