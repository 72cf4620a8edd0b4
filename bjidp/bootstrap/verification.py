"""How somebody proves who they are, wired: codes and their senders, captchas, passwords, proofs."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web
from msgspec import Struct

from bjidp.accounts.hashing import Cost, PasswordHashes
from bjidp.accounts.settings.addresses import NewAddresses
from bjidp.accounts.settings.changes import Changes
from bjidp.accounts.telling import Teller
from bjidp.bootstrap.front import Front, Part
from bjidp.bootstrap.rooms import LANGUAGE, Rooms, is_sandbox
from bjidp.bootstrap.running import beside
from bjidp.config.settings import Settings
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.vendors.catalog import (
    build_mail,
    build_sms,
    build_sms_pull,
    build_sms_push,
)
from bjidp.vendors.ports.sms import SmsSender
from bjidp.verification.captchas import Captchas, CaptchaWindows
from bjidp.verification.codes import Codes, CodeWindows
from bjidp.verification.dispatch import ByMail, Dispatches
from bjidp.verification.limits import MailLimits, MailWindows, SmsLimits, SmsWindows
from bjidp.verification.proofs import Proofs
from bjidp.verification.ranges import NumberRange
from bjidp.verification.reports import SmsReports
from bjidp.web.codes.captcha import CaptchaPages
from bjidp.web.codes.dispatches import DispatchCalls
from bjidp.web.codes.sms_reports import SmsReportCalls
from bjidp.web.words.code_words import CodeWords
from bjidp.web.words.texts import Texts
from bjidp.web.words.told_words import ToldTexts

HASHING_THREADS: Final = 1
"""A second one would take the other core from the event loops, and from the stores."""

HASHES_WAITING: Final = 32
"""Passwords that may wait for their turn: 0.6 s of it."""


class Verification(Struct, frozen=True, kw_only=True):
    """How somebody proves who they are, whatever flow asks for it."""

    captchas: Captchas
    codes: Codes
    dispatches: Dispatches
    teller: Teller
    proofs: Proofs
    passwords: PasswordHashes


def wire_verification(rooms: Rooms) -> Verification:
    """Return what proves who somebody is."""
    stores, pseudonyms = rooms.stores, Pseudonyms(rooms.keyring)
    codes = Codes(
        records=stores.codes,
        throttle=stores.throttle,
        pseudonyms=pseudonyms,
        entropy=rooms.entropy,
        windows=CodeWindows(),
    )
    limits = SmsLimits(tallies=stores.tallies, throttle=stores.throttle, pseudonyms=pseudonyms, windows=SmsWindows())
    sender = _sms_sender(rooms)
    return Verification(
        captchas=Captchas(
            records=stores.captchas,
            pictures=rooms.pictures,
            throttle=stores.throttle,
            pseudonyms=pseudonyms,
            entropy=rooms.entropy,
            windows=CaptchaWindows(),
            witness=rooms.witness,
        ),
        codes=codes,
        dispatches=Dispatches(
            codes=codes,
            numbers=served_numbers(rooms.settings),
            limits=limits,
            sender=sender,
            mail=_by_mail(rooms),
            words=CodeWords(Texts.load(LANGUAGE)),
            records=stores.dispatches,
            pseudonyms=pseudonyms,
            entropy=rooms.entropy,
        ),
        teller=Teller(sender=sender, limits=limits, words=ToldTexts(Texts.load(LANGUAGE)), entropy=rooms.entropy),
        proofs=Proofs(stores.proofs, pseudonyms),
        passwords=PasswordHashes(rooms.entropy, Cost(), threads=HASHING_THREADS, waiting=HASHES_WAITING),
    )


def new_addresses(changes: Changes, verification: Verification) -> NewAddresses:
    """Return what proves the numbers and mail addresses that ``changes`` are about."""
    return NewAddresses(
        changes=changes,
        captchas=verification.captchas,
        dispatches=verification.dispatches,
        codes=verification.codes,
    )


def _sms_sender(rooms: Rooms) -> SmsSender | None:
    settings = rooms.settings
    if settings.chuanglan is None:
        return None
    return build_sms(
        settings.chuanglan, settings.chuanglan_second, http=rooms.http, clock=rooms.clock, entropy=rooms.entropy
    )


def _by_mail(rooms: Rooms) -> ByMail | None:
    if rooms.settings.mail is None:
        return None
    return ByMail(
        sender=build_mail(rooms.settings.mail, clock=rooms.clock),
        limits=MailLimits(throttle=rooms.stores.throttle, pseudonyms=Pseudonyms(rooms.keyring), windows=MailWindows()),
        words=CodeWords(Texts.load(LANGUAGE)),
    )


def dispatches_part(rooms: Rooms, front: Front, verification: Verification) -> Part:
    """Return what pages ask of codes on their way; what was begun is finished at the end."""
    calls = DispatchCalls(
        site=rooms.site,
        desk=front.desk,
        dispatches=verification.dispatches,
        texts=front.renderer.texts,
    )

    async def close(_: web.Application) -> None:
        await asyncio.gather(
            verification.dispatches.close(), verification.teller.close(), verification.passwords.close()
        )

    return Part(calls=calls.calls(), mounts=(lambda app: app.on_cleanup.append(close),))


def sms_reports_part(rooms: Rooms, front: Front, verification: Verification) -> Part:
    """Return what becomes of messages once a provider has them."""
    named = {"chuanglan": rooms.settings.chuanglan, "chuanglan_second": rooms.settings.chuanglan_second}
    accounts = {name: settings for name, settings in named.items() if settings is not None}
    pushes = {name: build_sms_push(settings) for name, settings in accounts.items()}
    pulls = [build_sms_pull(name, settings, http=rooms.http) for name, settings in accounts.items()]
    brought = SmsReportCalls(
        pushes={name: push for name, push in pushes.items() if push is not None},
        dispatches=verification.dispatches,
        observer=front.observer,
        throttle=rooms.stores.throttle,
    )
    asked = SmsReports([pull for pull in pulls if pull is not None], verification.dispatches.report)
    return Part(mounts=(brought.mount, beside(asked.run)) if any(pulls) else (brought.mount,))


def captcha_part(rooms: Rooms, front: Front, verification: Verification) -> Part:
    """Return the pictures and sounds of captchas."""
    captcha = CaptchaPages(site=rooms.site, desk=front.desk, captchas=verification.captchas)
    return Part(calls=captcha.calls(), mounts=(captcha.mount,))


def served_numbers(settings: Settings) -> NumberRange:
    """Return the mobile numbers that are served."""
    return NumberRange.SYNTHETIC if is_sandbox(settings) else NumberRange.REAL
