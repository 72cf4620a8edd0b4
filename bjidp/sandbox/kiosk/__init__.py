"""A kiosk in a service hall, as a relying party without a browser of anybody's (RFC 8628, RP-3).

Owns what stands in the hall: a screen that shows a moving code, who is logged in at it, and the end of that after half
a minute in which nobody touches it. It speaks the protocol in plain HTTP, without a library, and knows of the server
what its discovery document says; started by the demo.

=================== ==================================================================================================
Module              Owns
=================== ==================================================================================================
``provider``        what is asked of the server: codes, tokens, who somebody is, the end of it
``frames``          the moving code: its text, and its picture
``visits``          one person after the other at the screen
``app``             the addresses
``plain``           the screen of a browser that runs no script
=================== ==================================================================================================
"""

from __future__ import annotations

from bjidp.sandbox.kiosk.app import mount
from bjidp.sandbox.kiosk.settings import METADATA, KioskSettings

__all__ = ["METADATA", "KioskSettings", "mount"]
