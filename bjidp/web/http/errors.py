"""How a request fails before a feature is asked, beside :mod:`bjidp.errors`."""

from __future__ import annotations

from bjidp.errors import BjidpError


class Misdirected(BjidpError):
    """The request names another host than the one this server is (RFC 9110, section 15.5.20)."""

    code = "misdirected"


class NotFound(BjidpError):
    """There is nothing at this address."""

    code = "not_found"


class MethodNotAllowed(BjidpError):
    """The address is right, the method is not."""

    code = "method_not_allowed"


class TooLarge(BjidpError):
    """The body is larger than anything this server takes."""

    code = "too_large"


class RequestTimeout(BjidpError):
    """The body did not come in time (attack W9)."""

    code = "request_timeout"


class InternalError(BjidpError):
    """Something failed that should not have; nothing is said of it but in the log."""

    code = "internal_error"
