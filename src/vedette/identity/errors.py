"""Errors of identity: refusals of the login service (OAuthError) and of tokens presented to an API (TokenError).

OAuthError                       key of a record in contracts/data/faults/login.toml, with the values of its text
TokenError                       a bearer token that does not verify
├── MalformedTokenError          not a signed token of our kind at all
├── BadSignatureError            no key of its tenant made this signature
├── WrongIssuerError             issued elsewhere, or claims that contradict the issuer
├── WrongAudienceError           good, but for something else
├── ExpiredTokenError            its time is over
├── NotYetValidError             its time has not come
└── RevokedTokenError            its tenant, application or user was revoked, disabled or removed
DirectoryError                   a change that the directory refuses
├── ObjectNotFoundError          no such object in this tenant
├── ObjectExistsError            its key is taken
│   ├── AssignmentExistsError    the app role was given already
│   └── GrantExistsError         the delegated grant was made already
├── UnknownPermissionError       the resource application has no permission of this name
└── InvalidValueError            a value is not of the form the directory needs
"""

from vedette.context import Principal
from vedette.errors import VedetteError


class OAuthError(VedetteError):
    """A refusal by the login service, by the key of its record. `fields` fill the record's text.

    `oauth_error` stands in for the record's OAuth error where a grant's RFC names another.
    """

    def __init__(self, key: str, /, *, oauth_error: str | None = None, **fields: str) -> None:
        self.key = key
        self.oauth_error = oauth_error
        self.fields = fields
        super().__init__(key)


class TokenError(VedetteError):
    """A bearer token that does not verify. `holder`: whose it was, where its signature proved that."""

    def __init__(self, holder: Principal | None = None) -> None:
        self.holder = holder
        super().__init__()


class MalformedTokenError(TokenError):
    """Not a compact JWS with the header and claims of an access token."""


class BadSignatureError(TokenError):
    """The algorithm is not allowed, the key is not the tenant's, or the signature is wrong."""


class WrongIssuerError(TokenError):
    """The issuer is none of ours, or does not agree with tenant and version."""


class WrongAudienceError(TokenError):
    """The token is for none of our resource applications."""


class ExpiredTokenError(TokenError):
    """The token's time is over."""


class NotYetValidError(TokenError):
    """The token's time has not come."""


class RevokedTokenError(TokenError):
    """The tenant revoked its tokens, or the application or user is disabled or gone."""


class DirectoryError(VedetteError):
    """A change that the directory refuses. `kind` and `key` say of what."""

    problem = "refused"

    def __init__(self, kind: str, key: str) -> None:
        self.kind = kind
        self.key = key
        super().__init__(f"{kind} {key}: {self.problem}")


class ObjectNotFoundError(DirectoryError):
    """No such object in this tenant."""

    problem = "no such object in this tenant"


class ObjectExistsError(DirectoryError):
    """The key is taken."""

    problem = "already exists"


class AssignmentExistsError(ObjectExistsError):
    """The principal has the app role already."""


class GrantExistsError(ObjectExistsError):
    """The client has a grant for this resource and principal already."""


class UnknownPermissionError(DirectoryError):
    """The resource application has no permission of this name."""

    problem = "the resource application has no such permission"


class InvalidValueError(DirectoryError):
    """The value is not of the form the directory needs."""

    problem = "not valid"
