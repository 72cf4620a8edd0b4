"""Outside services: the ports that features ask, and one folder a service with the client that answers them."""
