"""Commands about applications, over the Graph endpoints of a running server."""

from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from vedette.cli.directory import directory, show_list, show_one
from vedette.cli.output import DONE, say
from vedette.cli.parameters import DemoFolder, Output, Texts

COLUMNS = {"name": "displayName", "client id": "appId", "audience": "signInAudience", "created": "createdDateTime"}
PLATFORMS = {"web": "web", "native": "publicClient", "spa": "spa"}
REDIRECTS = {"web": "web", "native": "publicClient", "multitenant": "web"}


def commands() -> App:
    """`vedette app …`."""
    app = App(name="app", help="Applications, their permissions and keys.")
    app.command(list_, name="list")
    app.command(show)
    app.command(create)
    app.command(delete)
    app.command(consent)
    app.command(audience)
    app.command(enable)
    app.command(disable)
    for name, help_text, command in (
        ("permission", "Permissions that an application asks for.", add_permission),
        ("secret", "Client secrets.", add_secret),
        ("cert", "Certificates.", add_certificate),
        ("redirect", "Addresses that sign-ins lead back to.", add_redirect_uri),
    ):
        group = App(name=name, help=help_text)
        group.command(command, name="add")
        app.command(group)
    return app


def list_(*, output: Output = "table", data: Path | None = None) -> int:
    """List the tenant's registrations.

    Parameters
    ----------
    data
        A demo's data folder (default: the environment's AZURE_… variables, then the platform's folder).
    """
    with directory(data) as found:
        show_list(found.applications(), COLUMNS, output)
    return DONE


def show(app: str, /, *, output: Output = "table", data: DemoFolder = None) -> int:
    """Show one registration.

    Parameters
    ----------
    app
        Client id, object id or name.
    """
    with directory(data) as found:
        entity = found.application(app)
    shown = entity if output == "json" else _summary(entity)
    show_one(shown, output)
    return DONE


def create(
    name: str,
    /,
    *,
    kind: Literal["web", "native", "multitenant"] = "web",
    redirect_uri: Texts = (),
    output: Output = "table",
    data: DemoFolder = None,
) -> int:
    """Register an application, with its service principal.

    Parameters
    ----------
    name
        Its display name.
    kind
        `web` has a key of its own, `native` has none, `multitenant` may be consented to elsewhere.
    redirect_uri
        Where sign-ins may lead back to.
    """
    body: dict[str, Any] = {
        "displayName": name,
        "signInAudience": "AzureADMultipleOrgs" if kind == "multitenant" else "AzureADMyOrg",
        "isFallbackPublicClient": kind == "native",
        REDIRECTS[kind]: {"redirectUris": list(redirect_uri)},
    }
    with directory(data) as found:
        entity = found.create_application(body)
    show_one(entity if output == "json" else _summary(entity), output)
    return DONE


def delete(app: str, /, *, yes: Annotated[bool, Parameter(negative=())] = False, data: DemoFolder = None) -> int:
    """Delete a registration; every token it has fails. For thirty days Graph can restore it.

    Parameters
    ----------
    app
        Client id, object id or name.
    yes
        Do it without asking.
    """
    from vedette.errors import UsageError

    if not yes:
        raise UsageError(f"This deletes the application {app}; say so with --yes. For thirty days it can be restored.")
    with directory(data) as found:
        found.delete_application(app)
    return DONE


def add_permission(
    app: str,
    /,
    *permissions: str,
    api: str = "Microsoft Threat Protection",
    delegated: Annotated[bool, Parameter(negative=())] = False,
    data: DemoFolder = None,
) -> int:
    """Configure permissions by name. They have no effect before `vedette app consent`.

    Parameters
    ----------
    app
        Client id, object id or name.
    permissions
        Names, such as Incident.Read.All.
    api
        Name or application id of the API.
    delegated
        Delegated permissions in place of application permissions.
    """
    from vedette.errors import UsageError

    if not permissions:
        raise UsageError("Name at least one permission.")
    with directory(data) as found:
        added = found.add_permissions(app, api, permissions, "delegated" if delegated else "application")
    say(f"added: {', '.join(added) or 'nothing new'}; no effect before: vedette app consent")
    return DONE


def consent(app: str, /, *, output: Output = "table", data: DemoFolder = None) -> int:
    """Grant, for the whole tenant, everything the application is configured to ask for.

    Parameters
    ----------
    app
        Client id, object id or name.
    """
    with directory(data) as found:
        granted = found.consent(app)
    if not granted:
        say(f"{app} asks for no permissions. Add some with: vedette app permission add")
    columns = {"api": "api", "kind": "kind", "permission": "permission"}
    show_list([dict(zip(columns, each, strict=True)) for each in granted], columns, output)
    return DONE


def add_secret(
    app: str, /, *, name: str = "", end: str | None = None, output: Output = "table", data: DemoFolder = None
) -> int:
    """Make a client secret and print it. Its value is never shown again.

    Parameters
    ----------
    app
        Client id, object id or name.
    name
        What to call it.
    end
        When it ends, as an ISO 8601 time (default: in two years).
    """
    with directory(data) as found:
        secret = found.add_secret(app, name, end)
    show_one({name: secret[name] for name in ("secretText", "keyId", "endDateTime")}, output)
    return DONE


def add_certificate(app: str, file: Path, /, *, name: str = "", data: DemoFolder = None) -> int:
    """Add a certificate whose key may sign the application's client assertions.

    Parameters
    ----------
    app
        Client id, object id or name.
    file
        The certificate, PEM or DER.
    name
        What to call it.
    """
    from vedette.errors import UsageError

    if not file.is_file():
        raise UsageError(f"There is no file {file}.")
    with directory(data) as found:
        found.add_certificate(app, file.read_bytes(), name or file.name)
    return DONE


def add_redirect_uri(
    app: str,
    uri: str,
    /,
    *,
    platform: Literal["web", "native", "spa"] = "web",
    data: DemoFolder = None,
) -> int:
    """Register a further address that sign-ins may lead back to.

    Parameters
    ----------
    app
        Client id, object id or name.
    uri
        The address, exactly as the application sends it.
    platform
        `native` for programs on a person's own machine, `spa` for pages that redeem the code themselves.
    """
    with directory(data) as found:
        found.add_redirect_uri(app, PLATFORMS[platform], uri)
    return DONE


def audience(app: str, who: Literal["single", "multitenant"], /, *, data: DemoFolder = None) -> int:
    """Say whether other tenants may consent to an application.

    Parameters
    ----------
    app
        Client id, object id or name.
    who
        `multitenant`: every tenant whose administrator consents.
    """
    with directory(data) as found:
        found.set_audience(app, "AzureADMultipleOrgs" if who == "multitenant" else "AzureADMyOrg")
    return DONE


def enable(app: str, /, *, data: DemoFolder = None) -> int:
    """Let an application have tokens in the tenant again.

    Parameters
    ----------
    app
        Client id, or name of the application in the tenant.
    """
    with directory(data) as found:
        found.set_enabled(app, enabled=True)
    return DONE


def disable(app: str, /, *, data: DemoFolder = None) -> int:
    """Give an application no more tokens in the tenant; those it has fail.

    Parameters
    ----------
    app
        Client id, or name of the application in the tenant.
    """
    with directory(data) as found:
        found.set_enabled(app, enabled=False)
    return DONE


def _summary(entity: Any) -> dict[str, object]:
    return {
        "name": entity["displayName"],
        "client id": entity["appId"],
        "object id": entity["id"],
        "audience": entity["signInAudience"],
        "native": "yes" if entity["isFallbackPublicClient"] else "no",
        "redirect URIs": [uri for place in ("web", "spa", "publicClient") for uri in entity[place]["redirectUris"]],
        "permissions": sum(len(each["resourceAccess"]) for each in entity["requiredResourceAccess"]),
        "secrets": len(entity["passwordCredentials"]),
        "certificates": len(entity["keyCredentials"]),
    }
