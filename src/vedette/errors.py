"""The error hierarchy of the whole project. Errors carry data; the sentences users read come from contract data.

VedetteError
├── UsageError                   the person at the command line can mend it (exit code 2)
│   └── SettingsError            a setting is unknown, malformed or contradicts another
├── ContractError                packaged contract data is inconsistent: a defect of Vedette itself
├── KqlError                     in vedette.kql.errors: diagnostics with code, span, reason, hint
├── OAuthError                   in vedette.identity.errors: an AADSTS number and its OAuth error
├── ApiError                     a request that an API surface refuses
│   ├── UnauthenticatedError     no token, or one that does not verify (401)
│   ├── PermissionDeniedError    a good token without the permission (403)
│   ├── NotFoundError            no such resource in the caller's tenant (404)
│   ├── InvalidRequestError      malformed body, query option or value (400)
│   ├── ConflictError            state of the resource forbids it (409)
│   ├── QuotaExceededError       a limit of the tenant is used up (429)
│   └── NotImplementedOperationError   known, documented, not built (501)
├── LakeError                    in vedette.lake.errors
└── IngestError                  in vedette.ingest.errors
"""


class VedetteError(Exception):
    """Base of every error that Vedette raises on purpose."""


class UsageError(VedetteError):
    """Something the person who runs a command can mend. `str(error)` is one clear sentence."""


class SettingsError(UsageError):
    """A setting is unknown, malformed or contradicts another one."""


class ContractError(VedetteError):
    """Packaged contract data is inconsistent."""


class ApiError(VedetteError):
    """A request that an API surface refuses.

    `code` is a key of `contracts/data/faults`; `fields` fill its text template. Status and wording are looked up
    there, per surface, by `api.faults`.
    """

    code = "InternalServerError"

    def __init__(self, code: str | None = None, /, **fields: object) -> None:
        self.code = code or type(self).code
        self.fields = fields
        super().__init__(self.code)


class UnauthenticatedError(ApiError):
    """No bearer token, or one that does not verify."""

    code = "Unauthorized"


class PermissionDeniedError(ApiError):
    """The token is good and lacks the permission. Field `required`: the permission names that would do."""

    code = "Forbidden"


class NotFoundError(ApiError):
    """No such resource in the caller's tenant. A resource of another tenant is reported in the same words."""

    code = "ResourceNotFound"


class InvalidRequestError(ApiError):
    """The body, a query option or a value is malformed."""

    code = "BadRequest"


class ConflictError(ApiError):
    """The state of the resource forbids the request."""

    code = "Conflict"


class QuotaExceededError(ApiError):
    """A limit of the tenant is used up. Field `retry_after`: whole seconds."""

    code = "TooManyRequests"


class NotImplementedOperationError(ApiError):
    """A documented operation that is not built. The coverage page lists it."""

    code = "NotImplemented"
