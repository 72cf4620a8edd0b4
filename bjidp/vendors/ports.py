"""What the features ask of outside services.

Owns the capabilities (small and orthogonal; one client may have several), the facts they are asked about and the
closed sets of answers. A "no" is a result; silence, nonsense or a refusal to serve us is
:class:`bjidp.errors.VendorUnavailable`, never a verdict. Called by ``miniprogram`` and ``verification``; implemented by
one folder per service beside this file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Protocol, TypeAlias

from msgspec import Struct

from bjidp.clock import Instant
from bjidp.errors import BjidpError
from bjidp.person import DocumentType, Person
from bjidp.platforms import ExternalIdentity, PlatformIdentity
from bjidp.secret import Secret


class LoginCodeInvalid(BjidpError):
    """The platform refused the login code: used, expired, of another app, or made up."""

    code = "login_code_invalid"


class LoginBlocked(BjidpError):
    """The platform takes the user for a risk, and lets them log in to no mini-program; another code changes nothing."""

    code = "login_blocked"


class PlatformLogin(Struct, frozen=True):
    """What a login code was worth: who it is, and the key that came with it, which no answer ever holds (attack M1).

    The platform encrypts with ``session_key`` what it tells this user's phone; None where it has no such key.
    """

    identity: PlatformIdentity
    session_key: Secret | None


class PlatformSignIn(Protocol):
    """A platform's own login for its mini-programs."""

    async def exchange(self, code: str) -> PlatformLogin:
        """Redeem the one-use login ``code``.

        Raises :class:`LoginCodeInvalid`, :class:`LoginBlocked` and ``VendorUnavailable``.
        """
        ...


class ExternalLogin(Struct, frozen=True):
    """Who logged in at a provider: every name that it told for this login, the one to keep first."""

    names: tuple[ExternalIdentity, ...]


class WebSignIn(Protocol):
    """A provider's login for websites: the browser is sent to its page, and comes back with a one-use code."""

    code_parameter: str
    """What the code is called in the address that the browser comes back to."""

    def page(self, callback: str, state: str, *, inside: bool) -> str:
        """Return where the browser is sent, to come back to ``callback`` with ``state``, which is hexadecimal.

        ``inside`` tells that it is the browser of the provider's own app.
        """
        ...

    async def exchange(self, code: str, callback: str, *, inside: bool) -> ExternalLogin:
        """Redeem ``code``, which came back to ``callback``, within the seconds of two calls.

        Raises :class:`LoginCodeInvalid` and ``VendorUnavailable``.
        """
        ...


class PhoneCode(Struct, frozen=True):
    """A one-use code, which the platform is asked with for the number."""

    code: str

    def __repr__(self) -> str:
        """Show that there is one: whoever has the code has the number."""
        return "PhoneCode(***)"


class SealedPhone(Struct, frozen=True):
    """The number, encrypted under the session key of the login that asked: both members in Base64."""

    data: str
    iv: str

    def __repr__(self) -> str:
        """Show that there is one."""
        return "SealedPhone(***)"


class SignedPhone(Struct, frozen=True):
    """What the platform signed, and mostly encrypted for the app; ``sign`` is in Base64."""

    response: str
    sign: str

    def __repr__(self) -> str:
        """Show that there is one."""
        return "SignedPhone(***)"


PhoneGiven: TypeAlias = PhoneCode | SealedPhone | SignedPhone
"""What a platform's phone button gives the mini-program, and the mini-program passes on."""


class VerifiedPhone(Struct, frozen=True):
    """The number that the platform verified for its user, as the platform writes it."""

    number: str

    def __repr__(self) -> str:
        """Show that there is one: the value is personal."""
        return "VerifiedPhone(***)"


class PhoneRefusal(StrEnum):
    """Why there is no number."""

    UNPROVED = "unproved"
    """Nothing of this app, this login and this moment: made up, changed, another's, used or too old.

    One answer for all of them, or somebody could read the plaintext off the difference (a padding oracle).
    """
    ABSENT = "absent"
    """The platform knows no number of its user."""
    FOREIGN = "foreign"
    """The number is of another country."""


PhoneAnswer: TypeAlias = VerifiedPhone | PhoneRefusal


class PhoneNumbers(Protocol):
    """A platform's phone button: it tells the number that it verified for its user."""

    forms: tuple[type[PhoneGiven], ...]
    """What this platform's button gives, the newest form first."""
    distinct: bool
    """Whether each press gives something else; if not, what was given before may be given anew."""

    async def number(self, login: PlatformLogin, given: PhoneGiven) -> PhoneAnswer:
        """Tell the number behind ``given`` for whoever logged in by ``login``; raise ``VendorUnavailable``.

        What is in none of the :attr:`forms` is ``UNPROVED``.
        """
        ...


class FaceRequest(Struct, frozen=True):
    """The facts a face check is started for; the verdict counts only for exactly these (attack B2).

    ``reference`` is ours: 5 to 32 characters of ``[0-9A-Za-z]``, unique for ever.
    """

    reference: str
    identity: PlatformIdentity
    person: Person


class FaceStart(Struct, frozen=True):
    """A face check has been opened at the platform.

    ``verification`` is the platform's id; ``client`` holds what its client call needs beside it.
    """

    verification: str
    client: dict[str, str]


class FaceVerdict(StrEnum):
    """What the platform says of a face check, asked from server to server."""

    PASSED = "passed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PENDING = "pending"


class FaceCheck(Protocol):
    """A platform's face check."""

    documents: frozenset[DocumentType]
    """The documents it can check a face against."""
    app_id: str
    """The mini-program whose users it knows; of another one's user it is never asked."""

    async def start(self, request: FaceRequest) -> FaceStart:
        """Open a check for exactly these facts; raise ``VendorUnavailable``."""
        ...

    async def verdict(self, request: FaceRequest, verification: str) -> FaceVerdict:
        """Ask what came of it. Every answer but the platform's own clear yes is not a pass (attack B1)."""
        ...


class PlatformClients(Struct, frozen=True):
    """What one platform is asked for; ``phone`` is None where its button is not set up."""

    sign_in: PlatformSignIn
    face: FaceCheck
    phone: PhoneNumbers | None = None


class RegisterAnswer(StrEnum):
    """What a register says of the facts that it was asked about."""

    MATCH = "match"
    MISMATCH = "mismatch"
    """It knows the number, and other facts beside it."""
    UNKNOWN = "unknown"
    """It knows no such number."""
    EXPIRED = "expired"
    REFUSED = "refused"
    """The facts may be right; they prove nothing."""


class Reason(StrEnum):
    """Why a register does not say yes."""

    NAME = "name"
    DOCUMENT_NUMBER = "document_number"
    DOCUMENT_EXPIRED = "document_expired"
    DOCUMENT_WITHDRAWN = "document_withdrawn"
    DOCUMENT_UNSUPPORTED = "document_unsupported"
    """It checks no documents of this kind."""

    HOLDER = "holder"
    """The card is somebody else's."""
    PHONE = "phone"
    CARD_NUMBER = "card_number"
    CARD_NOT_DEBIT = "card_not_debit"
    """A credit card, or one that is paid in advance."""
    CARD_EXPIRED = "card_expired"
    CARD_LOST = "card_lost"
    CARD_SEIZED = "card_seized"
    CARD_INACTIVE = "card_inactive"
    """Not used yet, or not for long."""
    CARD_SUSPECT = "card_suspect"
    """Taken for forged."""
    CARD_RESTRICTED = "card_restricted"
    CARD_LOCKED = "card_locked"
    """Its password was wrong too often."""
    CARD_NOT_ENABLED = "card_not_enabled"
    """Its holder has not allowed it to be used without being there (无卡支付)."""
    CARD_UNSUPPORTED = "card_unsupported"
    """Its bank takes no part in such checks."""
    CARD_ABNORMAL = "card_abnormal"
    ISSUER_UNKNOWN = "issuer_unknown"
    TOO_MANY_TRIES = "too_many_tries"
    """For today."""

    ORGANISATION_NAME = "organisation_name"
    ORGANISATION_REVOKED = "organisation_revoked"
    """Its licence was taken from it (吊销)."""
    ORGANISATION_DEREGISTERED = "organisation_deregistered"
    """It has ended (注销)."""
    ORGANISATION_TERM_OVER = "organisation_term_over"
    REPRESENTATIVE = "representative"
    """Its 法定代表人 is somebody else."""

    OUTSIDE_RANGE = "outside_range"
    """It serves no such numbers."""
    OTHER = "other"
    """A word that is new to us."""


class Finding(Struct, frozen=True):
    """A register's answer, the reason of a no if it gave one, and its own reference for the record."""

    answer: RegisterAnswer
    reason: Reason | None
    reference: str


# The registers below charge for each question. Their `reference` is ours: 5 to 32 characters of [0-9A-Za-z], unique for
# ever. The same question under the same reference is answered the same and charged once for two days at least, so a
# reference is written down before it is used, and whoever crashed in between repeats it. Another question under it is
# refused, which is `VendorUnavailable`.


class Authority(Protocol):
    """The source that knows which name belongs to which number."""

    async def check(self, person: Person, *, reference: str) -> Finding:
        """Ask whether ``person`` exists as stated; raise ``VendorUnavailable``."""
        ...


class CardFacts(Struct, frozen=True):
    """The four factors: a person, the number of their card, and the phone number that its bank has for it."""

    person: Person
    card_number: str
    """In its normal form: 15 to 19 digits."""
    phone: str
    """A mainland mobile number in its normal form: eleven digits."""

    def __repr__(self) -> str:
        """Show that there are some: all of them are personal."""
        return "CardFacts(***)"


class Bank(Protocol):
    """The banks' common door: it knows whose a debit card is, and under which phone number."""

    async def check(self, facts: CardFacts, *, reference: str) -> Finding:
        """Ask whether the four belong together; raise ``VendorUnavailable``.

        A card of another kind is ``REFUSED`` as ``CARD_NOT_DEBIT``, whatever else is right.
        """
        ...


class OrganisationFacts(Struct, frozen=True):
    """An organisation, and the person who says that they are its 法定代表人."""

    credit_code: str
    """统一社会信用代码 in its normal form: 18 characters."""
    name: str
    representative: Person

    def __repr__(self) -> str:
        """Show which organisation it is about, which is public, and not who."""
        return f"OrganisationFacts({self.credit_code!r}, ***)"


class BusinessRegister(Protocol):
    """The register of organisations and of who may act for each."""

    async def check(self, facts: OrganisationFacts, *, reference: str) -> Finding:
        """Ask whether it exists under this name, is active, and is led by this person; raise ``VendorUnavailable``."""
        ...


class NationalAnswer(StrEnum):
    """What has become of a person at the national platform."""

    JOINED = "joined"
    """They are a user now, by this very call or an earlier one of the same reference."""
    KNOWN = "known"
    """They were one before."""
    REFUSED = "refused"
    """The platform will not have them: asking again would change nothing."""


class NationalRegister(Protocol):
    """国家政务服务平台, where a person whose identity is proved here is made a user."""

    async def register(self, person: Person, phone: str, *, reference: str) -> NationalAnswer:
        """Make the person a user, known by ``phone``; raise ``VendorUnavailable``, and it may have happened or not.

        ``reference`` is the caller's own: asked again with it, the platform answers as it did, and makes nobody twice.
        """
        ...


class Sms(Struct, frozen=True, kw_only=True):
    """A short message to one person, in both forms that providers take: whole words, or values for a template."""

    reference: str
    """Ours: 1 to 32 characters of ``[0-9A-Za-z]``. A report of its delivery repeats it."""
    to: str
    """A mainland mobile number in its normal form: eleven digits."""
    text: str
    """The words without the sender's signature, which is each provider's setting."""
    template: str
    """Our name for these words; each provider's setting tells its own."""
    parameters: tuple[str, ...] = ()
    """What fills the template, in its order."""

    def __repr__(self) -> str:
        """Show the name of the template alone: numbers, words and codes never reach a log or a traceback."""
        return f"Sms({self.template}, ***)"


class SmsRefusal(StrEnum):
    """Why a provider does not send a message: the first three are about it, the others about us."""

    NUMBER = "number"
    CONTENT = "content"
    FREQUENCY = "frequency"
    BALANCE = "balance"
    CREDENTIALS = "credentials"
    ADDRESS = "address"
    ACCOUNT = "account"
    """Suspended, run out, or without the right to send this."""
    REQUEST = "request"
    """The provider does not understand us, or has nothing under this name."""

    @property
    def alarm(self) -> bool:
        """Whether an operator has to mend it: until then nobody gets a message from this provider."""
        return self not in {SmsRefusal.NUMBER, SmsRefusal.CONTENT, SmsRefusal.FREQUENCY}


class SmsAccepted(Struct, frozen=True):
    """The provider has taken the message; whether it arrives, a report tells later.

    ``message`` is the provider's own id, unique for ``provider``.
    """

    provider: str
    message: str


class SmsRefused(Struct, frozen=True):
    """The provider has not taken the message; nothing is sent."""

    kind: SmsRefusal


SmsAnswer: TypeAlias = SmsAccepted | SmsRefused


class SmsSender(Protocol):
    """Somebody who brings short messages to phones."""

    async def send(self, sms: Sms) -> SmsAnswer:
        """Hand ``sms`` over, within the seconds its builder states; raise ``VendorUnavailable``.

        After ``VendorUnavailable`` the message may be on its way all the same, so another attempt says the same words.
        """
        ...


class SmsReport(Struct, frozen=True, kw_only=True):
    """What became of a message that a provider had taken. Anybody may have made it up, and it may come twice."""

    message: str
    """The provider's id, as in :class:`SmsAccepted`."""
    reference: str
    """Ours; empty where the provider does not repeat it."""
    to: str
    delivered: bool
    status: str
    """The operator's word."""
    at: Instant
    """When the operator reported, to the minute."""

    def __repr__(self) -> str:
        """Leave the number out."""
        return f"SmsReport({self.message!r}, {self.status!r}, ***)"


class PushFault(StrEnum):
    """Why what was pushed is no report."""

    FOREIGN = "foreign"
    """Whoever brings it does not know the words that were agreed with the provider."""
    UNREADABLE = "unreadable"


class SmsPush(Protocol):
    """Reads the reports that a provider brings by itself."""

    taken: bytes
    """What tells the provider that a report need not be brought again."""

    def read(self, query: Iterable[tuple[str, str]]) -> SmsReport | PushFault:
        """Return the report in the query of a push."""
        ...


class SmsPull(Protocol):
    """Asks a provider for reports."""

    async def pull(self) -> Sequence[SmsReport]:
        """Return the oldest reports that were not handed out yet, a hundred at most; raise ``VendorUnavailable``.

        Each is handed out once.
        """
        ...


class Mail(Struct, frozen=True, kw_only=True):
    """A mail to one person, in plain text."""

    reference: str
    """Ours: 1 to 32 characters of ``[0-9A-Za-z]``, unique for ever."""
    to: str
    """A mail address in its normal form: ASCII, without a display name."""
    subject: str
    text: str

    def __repr__(self) -> str:
        """Show that there is one: addresses, words and codes never reach a log or a traceback."""
        return "Mail(***)"


class MailRefusal(StrEnum):
    """Why a mail is not taken: the first three are about it, the others about us."""

    ADDRESS = "address"
    """There is no such mailbox, as far as the server knows."""
    BUSY = "busy"
    """Not now, for this mailbox."""
    CONTENT = "content"
    CREDENTIALS = "credentials"
    SENDER = "sender"
    """We may not send under our address, or not from here."""

    @property
    def alarm(self) -> bool:
        """Whether an operator has to mend it: until then nobody gets a mail."""
        return self in {MailRefusal.CREDENTIALS, MailRefusal.SENDER}


class LogoutReceivers(Protocol):
    """Relying parties that are told when somebody is logged in no more."""

    async def tell(self, address: str, logout_token: str) -> None:
        """Bring a logout token to ``address``; raise ``VendorUnavailable`` unless it was taken."""
        ...


class MailAccepted(Struct, frozen=True):
    """The mail server has taken the mail; whether it arrives, nobody tells."""


class MailRefused(Struct, frozen=True):
    """The mail server has not taken the mail; nothing is sent."""

    kind: MailRefusal


MailAnswer: TypeAlias = MailAccepted | MailRefused


class MailSender(Protocol):
    """Somebody who brings mail."""

    async def send(self, mail: Mail) -> MailAnswer:
        """Hand ``mail`` over, within the seconds its builder states; raise ``VendorUnavailable``.

        After ``VendorUnavailable`` the mail may be on its way all the same.
        """
        ...
