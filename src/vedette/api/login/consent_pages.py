"""The consent page: what an application asks for, in plain words, and the answer to it."""

from collections.abc import Mapping

from vedette.api.http import ApiResponse
from vedette.api.login.rendering import render
from vedette.api.login.visits import Person, Visit
from vedette.identity.signin.consent_request import ConsentRequest, grant

CONSENT_ACTION = "Consent to application"

OIDC_TEXTS: Mapping[str, str] = {
    "openid": "Know who you are when you sign in",
    "profile": "Read your name and user name",
    "email": "Read your e-mail address",
    "offline_access": "Keep this access until it is taken back",
}


def show_consent(
    visit: Visit,
    person: Person,
    consent: ConsentRequest,
    *,
    for_tenant: bool = False,
    oidc: frozenset[str] = frozenset(),
) -> ApiResponse:
    """The page; without an administrator before it, it cannot be accepted where one is needed."""
    refused = (for_tenant or consent.needs_administrator) and not consent.is_administrator
    return render(
        visit.frame(),
        "consent",
        f"{consent.application.display_name} asks for access",
        username=person.user.user_principal_name,
        consent=consent,
        for_tenant=for_tenant,
        refused=refused,
        oidc=[text for scope, text in OIDC_TEXTS.items() if scope in oidc and not for_tenant],
    )


def accept_consent(visit: Visit, person: Person, consent: ConsentRequest, *, for_everybody: bool) -> None:
    """Store what a person allowed, and tell the audit log. Raises OAuthError if they may not."""
    with visit.services.store.begin() as connection:
        grant(connection, visit.services, consent, person.user, for_everybody=for_everybody)
        change = visit.change_record(
            person,
            CONSENT_ACTION,
            consent.application.display_name,
            appId=consent.application.app_id,
            permissions=" ".join(permission.value for permission in consent.permissions),
            consentType="AllPrincipals" if for_everybody else "Principal",
        )
        visit.services.audit.publish(connection, change)
