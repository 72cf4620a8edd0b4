"""首都之窗 as a relying party: the site that sends its people to the identity server and gets them back logged in.

Owns a site as any city office would build it: pages, a cookie and sessions of its own, and **Authlib** as the library
that speaks OpenID Connect (LOG-8, RP-4). It knows of the server what its discovery document says, and what it was given
at registration; started by the demo, on a host of its own, since cookies do not tell ports apart.

=================== ==================================================================================================
Module              Owns
=================== ==================================================================================================
``provider``        the protocol: codes with PKCE, pushed requests, ID tokens, refreshing, userinfo
``logout_tokens``   what a log-out token has to say
``logins``          a login, as the others hand it on
``sessions``        who is logged in here, and what was told of them
``services``        what the site offers, and what each of it asks for
``pages``           templates, words and headers
``visitors``        the cookies, and who is shown what
``entering``        the way to the server and back, and the way out
``app``             the pages and services, by their addresses
=================== ==================================================================================================
"""

from __future__ import annotations

from bjidp.sandbox.portal.app import build_portal
from bjidp.sandbox.portal.settings import PortalSettings

__all__ = ["PortalSettings", "build_portal"]
