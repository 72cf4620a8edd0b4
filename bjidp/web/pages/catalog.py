"""Every page there is, for the test that renders them all."""

from __future__ import annotations

from bjidp.web.pages import appeal, centre, devices, external, oidc, organisations, recovery, settings
from bjidp.web.pages.ending import ErrorPage, MessagePage
from bjidp.web.pages.help import ArticlePage, HelpPage, ManualPage
from bjidp.web.pages.login import (
    AccountLoginPage,
    DocumentTailPage,
    LoginPage,
    NoAccountPage,
    PhoneLoginPage,
    SignedInPage,
)
from bjidp.web.pages.qr import QrStatePage, ScanHintPage, VerifyPage
from bjidp.web.pages.registration import RegisteredPage, RegisterH5Page, RegisterIdentityPage, RegisterPage
from bjidp.web.pages.shell import Page

ALL: tuple[type[Page], ...] = (
    LoginPage,
    AccountLoginPage,
    PhoneLoginPage,
    DocumentTailPage,
    NoAccountPage,
    VerifyPage,
    SignedInPage,
    QrStatePage,
    RegisterPage,
    RegisterH5Page,
    RegisterIdentityPage,
    RegisteredPage,
    ScanHintPage,
    *centre.ALL,
    *settings.ALL,
    *organisations.ALL,
    *appeal.ALL,
    *recovery.ALL,
    *external.ALL,
    *oidc.ALL,
    *devices.ALL,
    MessagePage,
    HelpPage,
    ArticlePage,
    ManualPage,
    ErrorPage,
)
"""Every page there is, for the test that renders them all."""
