"""Short-lived stores that many processes share, on one Redis.

Every change is one script on one key, so compare and set is atomic there and the layout fits a cluster; the link
speaks to one server. A time to live is garbage collection with a margin; whether something is over is decided by the
instant kept beside it, against the server's clock.
"""
