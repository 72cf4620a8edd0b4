"""What the page is told where somebody types the code of a device (RP-3)."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

import msgspec

from bjidp.clock import DAY, HOUR, Instant, Millis
from bjidp.oidc.scopes import Scope
from bjidp.web.pages.form_view import FormView

Said: TypeAlias = Literal["agreed", "refused"]
"""What somebody has said to a device; words under ``device.said.*``."""

Needs: TypeAlias = Literal["L2", "L3", "L4", "phone"]
"""What a device asks for that is missing here; words under ``device.needs.*``."""


class DevicePage(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for the code on a device's screen."""

    template: ClassVar[str] = "device.html"

    h5: bool
    form: FormView
    who: str
    """Masked display name."""
    said: Said | None = None
    needs: Needs | None = None

    @classmethod
    def sample(cls) -> DevicePage:
        """Return the page after a code that leads nowhere."""
        form = FormView(csrf="example", values={"user_code": "WDJB-MJHT"}, faults={"user_code": "wrong"})
        return cls(h5=False, form=form, who="张**", said="agreed", needs="L3")


class DeviceAskingPage(msgspec.Struct, frozen=True, kw_only=True):
    """Asks whether a device may be logged in, with everything the server knows of it."""

    template: ClassVar[str] = "device_asking.html"

    h5: bool
    form: FormView
    who: str
    client: str
    domain: str
    """The host that was registered, beside the name that anybody could have chosen."""
    user_code: str
    scopes: tuple[Scope, ...]
    asked_at: Instant
    browser: str
    os: str
    area: str | None
    lifetime: Millis
    """How long the login goes on."""
    ticket: str
    confirm_token: str

    @property
    def days(self) -> int:
        """Whole days it goes on; 0 for less than two."""
        return self.lifetime // DAY if self.lifetime >= 2 * DAY else 0

    @property
    def hours(self) -> int:
        """Whole hours it goes on."""
        return self.lifetime // HOUR

    @classmethod
    def sample(cls) -> DeviceAskingPage:
        """Return the page of a kiosk."""
        return cls(
            h5=False,
            form=FormView(csrf="example"),
            who="张**",
            client="政务大厅自助机",
            domain="kiosk.example",
            user_code="WDJB-MJHT",
            scopes=(Scope.OPENID, Scope.PROFILE),
            asked_at=1_800_000_000_000,
            browser="Chrome",
            os="Windows",
            area="北京市",
            lifetime=12 * HOUR,
            ticket="mDq3vYdV0Yw4h8m0m1iX7A",
            confirm_token="example",  # noqa: S106 - a sample
        )


ALL = (DevicePage, DeviceAskingPage)
