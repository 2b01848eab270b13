"""Commands about access tokens."""

import os
import sys

from vedette.cli.output import DONE
from vedette.cli.parameters import OptionalTexts, ServerFolder, Texts


def mint(
    *,
    tenant: str,
    app: str,
    user: str | None = None,
    roles: OptionalTexts = None,
    scopes: Texts = (),
    resource: str | None = None,
    lifetime: int | None = None,
    data: ServerFolder = None,
) -> int:
    """Print a signed token, without asking for consent; only in a demo or where `allow_minting` is set.

    Parameters
    ----------
    tenant
        Tenant of the token: GUID or domain.
    app
        Application (client) id.
    user
        User principal name or object id; without it the token is the application's own.
    roles
        Application permissions (default: those the application was granted).
    scopes
        Delegated permissions.
    resource
        Resource application: graph, mtp, wdatp or vedette (default: the first that has the permissions).
    lifetime
        Seconds until it expires.
    """
    from vedette.identity.minting import MintOrder
    from vedette.server.minting import mint_token
    from vedette.settings import load_settings

    settings = load_settings({"data": data}, os.environ)
    order = MintOrder(
        tenant=tenant, app_id=app, user=user, roles=roles, scopes=scopes, resource=resource, lifetime=lifetime
    )
    sys.stdout.write(mint_token(settings, order) + "\n")
    return DONE
