"""HTTP itself: connections' addresses, bodies, cookies, guards, and how a request finds its handler."""
