"""The consent page: what an application asks for, in plain words, and the answer to it."""

from collections.abc import Mapping

from vedette.api.http import ApiResponse
from vedette.api.login.rendering import render
from vedette.api.login.visits import Person, Visit
from vedette.identity.signin.consent_request import ConsentRequest

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
        oidc=[text for scope, text in OIDC_TEXTS.items() if scope in oidc],
    )
