"""Every address that a page of the server posts a form to, and the fields that the form may have.

Written down by hand, so that a test can attack each of them on any server; ``tests/web/test_addresses.py`` holds it to
what the program answers.
"""

from __future__ import annotations

from typing import Final

_CAPTCHA: Final = ("captcha", "captcha_id")
_IDENTITY: Final = (
    "document_type", "name", "document_number", "sex", "valid_from", "valid_to", "term", "card_number",
)  # fmt: skip
_ORGANISATION: Final = ("credit_code", "organisation_name", "organisation", "scope", "ends_on")
_SETTING: Final = (
    "old", "password", "again", "phone", "mail", "username", "code", *_IDENTITY, *_ORGANISATION, *_CAPTCHA, "flow",
    "act",
)  # fmt: skip

GUESTS: Final = {
    "/login": ("account", "password", *_CAPTCHA),
    "/h5/login": ("account", "password", "agreed", *_CAPTCHA),
    "/h5/login/code": ("phone", "code", "agreed", *_CAPTCHA, "act"),
    "/h5/login/document": ("tail", "flow"),
    "/register": ("username", "phone", "code", "password", "again", "agreed", *_CAPTCHA, "flow", "act"),
    "/h5/register": ("phone", "code", "password", "agreed", *_CAPTCHA, "flow", "act"),
    "/recover": ("account", *_CAPTCHA),
    "/recover/code": ("document", "code", *_CAPTCHA, "flow", "act"),
    "/recover/password": ("password", "again", "flow"),
    "/h5/recover": ("phone", *_CAPTCHA),
    "/h5/recover/code": ("document", "code", *_CAPTCHA, "flow", "act"),
    "/h5/recover/password": ("password", "again", "flow"),
    "/qr/renew": ("flow",),
    "/qr/redeem": ("flow", "grant", "code"),
    "/oauth/continue": ("request", "capacity", "way", "act"),
    "/h5/oauth/continue": ("request", "capacity", "way", "act"),
    "/oauth/leave": ("request", "act"),
    "/h5/oauth/leave": ("request", "act"),
    "/login/third/link": ("phone", "code", "of", *_CAPTCHA, "flow", "act"),
    "/h5/login/third/link": ("phone", "code", "of", *_CAPTCHA, "flow", "act"),
    "/login/third/link/document": ("tail", "of", "flow"),
    "/h5/login/third/link/document": ("tail", "of", "flow"),
    "/logout": (),
    "/h5/logout": (),
}
"""Forms that take no login."""

BY_OTHERS: Final = frozenset(
    {
        *("/oauth/authorize", "/oauth/logout"),
        *("/oauth/par", "/oauth/token", "/oauth/userinfo", "/oauth/revoke", "/oauth/introspect", "/oauth/device"),
    }
)
"""Where pages of other sites, and their programs, post to: none of these looks at a cookie."""

OWNERS: Final = {
    f"{prefix}{path}": fields
    for prefix in ("", "/h5")
    for path, fields in {
        "/register/identity": (*_IDENTITY, "act"),
        "/centre": ("ethnicity",),
        "/centre/appeal": ("reason", "contact", "about"),
        "/centre/devices": ("session", "phone"),
        "/centre/sites": ("client",),
        "/centre/third": ("provider", "act"),
        "/device": ("user_code", "ticket", "confirm_token", "act"),
        "/centre/organisations": ("mandate", "act"),
        "/centre/organisations/give_up": ("organisation",),
        "/centre/acting": ("capacity", "act"),
        **{
            f"/centre/{setting}{step}": _SETTING
            for setting in (
                "password",
                "phone",
                "mail",
                "username",
                "real_name",
                "bank_card",
                "exchange",
                "face",
                "unbind",
                "organisation",
                "appoint",
                "withdraw_appeal",
                "link",
                "unlink",
                "reauthenticate",
                "cancel",
            )
            for step in ("", "/identity")
        },
        "/not-me": ("session", "change"),
    }.items()
}
"""Forms of whoever is logged in; everybody else is led to where a login begins."""
