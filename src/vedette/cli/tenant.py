"""Commands about tenants. Making and listing them is the installation's owner's: they work on the data folder."""

from cyclopts import App

from vedette.cli.directory import directory, show_list, show_one
from vedette.cli.locate import data_path
from vedette.cli.output import DONE
from vedette.cli.parameters import DemoFolder, Output, ServerFolder

COLUMNS = {"domain": "domain", "name": "name", "tenant id": "tenant_id", "home": "home"}


def commands() -> App:
    """`vedette tenant …`."""
    app = App(name="tenant", help="Tenants of the installation.")
    app.command(create)
    app.command(list_, name="list")
    app.command(show)
    app.command(rotate_key, name="rotate-key")
    app.command(revoke_tokens, name="revoke-tokens")
    return app


def create(domain: str, /, *, name: str, output: Output = "table", data: ServerFolder = None) -> int:
    """Make a tenant; the installation's first one becomes its home tenant.

    Parameters
    ----------
    domain
        Its initial domain; accounts end in it.
    name
        Display name.
    """
    from vedette.server.tenants import create_tenant

    show_one(create_tenant(data_path(data), name, domain), output)
    return DONE


def list_(*, output: Output = "table", data: ServerFolder = None) -> int:
    """List the tenants of the installation."""
    from vedette.server.tenants import list_tenants

    show_list(list_tenants(data_path(data)), COLUMNS, output)
    return DONE


def rotate_key(tenant: str, /, *, data: ServerFolder = None) -> int:
    """Sign a tenant's tokens with a new key from now on. Tokens of the old one verify until they expire.

    Parameters
    ----------
    tenant
        Tenant id or domain.
    """
    from vedette.server.tenants import rotate_key as rotate

    show_one({"kid": rotate(data_path(data), tenant)}, "table")
    return DONE


def revoke_tokens(tenant: str, /, *, data: ServerFolder = None) -> int:
    """Make every access token of a tenant worthless that was issued until now, in every process within a second.

    Parameters
    ----------
    tenant
        Tenant id or domain.
    """
    from vedette.server.tenants import revoke_tokens as revoke

    revoke(data_path(data), tenant)
    return DONE


def show(*, output: Output = "table", data: DemoFolder = None) -> int:
    """Show the tenant that the credentials belong to."""
    with directory(data) as found:
        entity = found.organization()
    summary = {
        "tenant id": entity["id"],
        "name": entity["displayName"],
        "domains": [domain["name"] for domain in entity["verifiedDomains"]],
        "created": entity["createdDateTime"],
    }
    show_one(entity if output == "json" else summary, output)
    return DONE
