"""The logins by a form, wired: by a password, and by a code to the phone."""

from __future__ import annotations

from bjidp.accounts.login.flow import SmsLoginFacts
from bjidp.accounts.login.password import PasswordLogin, PasswordWindows
from bjidp.accounts.login.sms import SmsLogin
from bjidp.accounts.login.tails import DocumentTails, TailWindows
from bjidp.bootstrap.accounts import document_readings
from bjidp.bootstrap.front import Front, Part
from bjidp.bootstrap.rooms import HOME, Rooms, open_drafts
from bjidp.bootstrap.verification import Verification, served_numbers
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.web.forms.form_again import FormViews
from bjidp.web.login.code import CodeLoginPages
from bjidp.web.login.document_tail import DocumentTailPages
from bjidp.web.login.opening import LoginPages
from bjidp.web.login.password import Homes, PasswordLoginPages
from bjidp.web.login.phone import PhoneLogin


def form_logins_part(rooms: Rooms, front: Front, verification: Verification, login: LoginPages) -> Part:
    """Return the logins by a form, which come back to ``login`` with what is to be corrected."""
    stores, pseudonyms = rooms.stores, Pseudonyms(rooms.keyring)
    drafts = open_drafts(rooms, SmsLoginFacts, "login.sms")
    codes = SmsLogin(
        members=stores.members,
        numbers=served_numbers(rooms.settings),
        captchas=verification.captchas,
        codes=verification.codes,
        dispatches=verification.dispatches,
        drafts=drafts,
        clock=rooms.clock,
    )
    on_phone = PhoneLogin(
        client=rooms.settings.server.client_name,
        home=f"/h5{HOME}",
        desk=front.desk,
        login_pages=login,
        form_views=FormViews(verification.captchas),
        codes=codes,
        login_first=front.login_first,
    )
    by_password = PasswordLoginPages(
        homes=Homes(HOME, f"/h5{HOME}"),
        desk=front.desk,
        login_pages=login,
        phone_login=on_phone,
        arrivals=front.arrivals,
        captchas=verification.captchas,
        passwords=PasswordLogin(
            members=stores.members,
            hashes=verification.passwords,
            throttle=stores.throttle,
            audit=stores.audit,
            pseudonyms=pseudonyms,
            documents=document_readings(rooms),
            clock=rooms.clock,
            windows=PasswordWindows(),
        ),
        login_first=front.login_first,
    )
    by_code = CodeLoginPages(
        home=f"/h5{HOME}",
        desk=front.desk,
        renderer=front.renderer,
        phone_login=on_phone,
        arrivals=front.arrivals,
        codes=codes,
        login_first=front.login_first,
    )
    tails = DocumentTailPages(
        desk=front.desk,
        phone_login=on_phone,
        code_login=by_code,
        tails=DocumentTails(
            members=stores.members,
            drafts=drafts,
            throttle=stores.throttle,
            pseudonyms=pseudonyms,
            windows=TailWindows(),
        ),
    )
    return Part(mounts=(on_phone.mount, by_password.mount, by_code.mount, tails.mount))
