"""What travels between the pages of one sign-in: sealed, bound to the browser, short-lived. The server keeps nothing.

The sealed text is also the pages' CSRF token: nobody else can make one for this browser's cookie.
"""

import base64
import binascii
import hmac
from typing import Literal

import msgspec

from vedette.identity.errors import OAuthError
from vedette.identity.services import IdentityServices
from vedette.identity.token_request import EndpointVersion
from vedette.store.secrets import SealError, Secret

LIFETIME = 1800
SEAL_CONTEXT = "interaction"
MAXIMUM_LENGTH = 32_768

Purpose = Literal["authorize", "device", "admin_consent"]


class Account(msgspec.Struct, frozen=True):
    """Whose sign-in this is."""

    tenant_id: str
    user_id: str


class Interaction(msgspec.Struct, frozen=True, omit_defaults=True):
    """One person's way through the pages, as far as they have come."""

    purpose: Purpose
    tenant: str
    """The path segment of the request: GUID, domain, `common` …"""
    parameters: dict[str, str]
    """The request that began it."""
    browser: bytes
    """Hash of the cookie of the browser it belongs to."""
    started_at: int
    version: EndpointVersion = 2
    account: Account | None = None
    methods: tuple[str, ...] = ()
    """How the account was proved, in a session or here."""
    is_fresh: bool = False
    """Whether the person proved themselves here, not in an earlier session."""
    is_signed_in: bool = False
    """Whether the browser has a session for the account."""
    stays_signed_in: bool = False
    enrolment: str = ""
    """The second factor's secret that awaits its first code."""


class ExpiredInteractionError(OAuthError):
    """A form of another browser, of another time, or of nobody."""

    def __init__(self) -> None:
        super().__init__("request_malformed")


def seal(services: IdentityServices, interaction: Interaction) -> str:
    """The interaction as a hidden form field."""
    content = Secret(msgspec.msgpack.encode(interaction))
    return base64.urlsafe_b64encode(services.interaction_sealer.seal(content, SEAL_CONTEXT)).decode()


def unseal(services: IdentityServices, text: str, browser: bytes) -> Interaction:
    """The interaction of a form that this browser was given. Raises ExpiredInteractionError."""
    if len(text) > MAXIMUM_LENGTH:
        raise ExpiredInteractionError
    try:
        content = services.interaction_sealer.open(base64.urlsafe_b64decode(text), SEAL_CONTEXT)
        interaction = msgspec.msgpack.decode(content.reveal(), type=Interaction)
    except (SealError, binascii.Error, ValueError) as error:
        raise ExpiredInteractionError from error
    if not hmac.compare_digest(interaction.browser, browser) or services.now() >= interaction.started_at + LIFETIME:
        raise ExpiredInteractionError
    return interaction
