"""What somebody lets the site of a device read, from the moment that they confirm.

Owns that it is remembered before the confirmation counts, and by nobody later: what is withdrawn until the device asks
is gone then, and the device is given nothing (attack T3). Called by whatever takes a confirmation.
"""

from __future__ import annotations

from collections.abc import Iterable

from bjidp.clock import Clock
from bjidp.oidc.ports import ConsentStore
from bjidp.oidc.scopes import Scope, known
from bjidp.qrlogin.ticket import Device


class DeviceAgreeing:
    """:class:`bjidp.qrlogin.phones.Agree` by consents."""

    def __init__(self, consents: ConsentStore, clock: Clock) -> None:
        """Remember them among ``consents``."""
        self._consents = consents
        self._clock = clock

    async def __call__(self, account: str, device: Device) -> None:
        """See :class:`bjidp.qrlogin.phones.Agree`; raises ``StoreUnavailable``."""
        await self._consents.agree(account, device.client, remembered(device.scopes), self._clock.now())


def remembered(scopes: Iterable[str]) -> frozenset[Scope]:
    """Return what of a device's scopes is an agreement: that it goes on while its owner is away is asked every time."""
    return frozenset(known(scopes)) - {Scope.OFFLINE_ACCESS}
