"""The documents by which clients find their way: OIDC metadata, key sets, instances, user realms.

Every URL is on the host that was asked.
"""

from urllib.parse import urlsplit

from vedette.identity.directory.tenants import Tenants
from vedette.identity.errors import OAuthError
from vedette.identity.grants.dispatch import TENANTLESS, resolve_tenant
from vedette.identity.keyring import PublishedKey
from vedette.identity.services import IdentityServices
from vedette.identity.token_request import EndpointVersion

Document = dict[str, object]

PLACEHOLDER = "{tenantid}"
"""What stands for the tenant in documents of `common` and `organizations`."""

CLAIMS = (
    "sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name", "msgraph_host", "aud",
    "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid", "ver", "at_hash", "c_hash", "email",
)  # fmt: skip


def metadata(services: IdentityServices, segment: str, base_url: str, version: EndpointVersion) -> Document:
    """OIDC discovery. A domain is answered with the tenant's id. Raises OAuthError."""
    tenant_id = _tenant_id(services, segment)
    root = f"{base_url}/{tenant_id or segment.lower()}"
    issuer = services.issuers.issuer(base_url, tenant_id or PLACEHOLDER, version)
    path = "oauth2" if version == 1 else "oauth2/v2.0"
    keys = f"{base_url}/common/discovery/keys" if version == 1 else f"{root}/discovery/v2.0/keys"
    return {
        "token_endpoint": f"{root}/{path}/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": keys,
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        **_supported(version),
        "issuer": issuer,
        "request_uri_parameter_supported": False,
        "userinfo_endpoint": f"{_cloud(services, base_url)['graph']}/oidc/userinfo",
        "authorization_endpoint": f"{root}/{path}/authorize",
        "device_authorization_endpoint": f"{root}/{path}/devicecode",
        "http_logout_supported": True,
        "frontchannel_logout_supported": True,
        "end_session_endpoint": f"{root}/{path}/logout",
        "claims_supported": list(CLAIMS),
        "kerberos_endpoint": f"{root}/kerberos",
        "tenant_region_scope": None if tenant_id is None else "WW",
        **_cloud_names(services, base_url),
    }


def keys(services: IdentityServices, segment: str, base_url: str, version: EndpointVersion) -> Document:
    """The key set of a tenant, or of all of them (`common`), as relying parties without a tenant fetch it."""
    tenant_id = _tenant_id(services, segment)
    with services.store.connect() as connection:
        tenant_ids = [tenant_id] if tenant_id else [record.tenant.tenant_id for record in Tenants(connection).all()]
        published = [(owner, key) for owner in tenant_ids for key in services.keyring.published(connection, owner)]
    return {"keys": [_jwk(services, owner, key, base_url, version) for owner, key in published]}


def instance(
    services: IdentityServices, segment: str, authorization_endpoint: str | None, api_version: str
) -> Document:
    """Whether a host is one of ours, and its aliases. Raises OAuthError for any other."""
    parts = urlsplit(authorization_endpoint or "")
    if parts.scheme != "https" or not services.issuers.accepts(parts.hostname):
        raise OAuthError("unknown_instance")
    tenant = parts.path.split("/")[1] if parts.path.strip("/") else segment
    document: Document = {
        "tenant_discovery_endpoint": f"https://{parts.netloc}/{tenant}/v2.0/.well-known/openid-configuration",
        "api-version": api_version,
        "metadata": [_environment(services, parts.netloc)],
    }
    return document


def user_realm(services: IdentityServices, name: str, base_url: str) -> Document:
    """How an account signs in. Every domain of ours is managed here; others are unknown."""
    domain = name.rpartition("@")[2].lower()
    with services.store.connect() as connection:
        found = Tenants(connection).find(domain) if domain else None
    cloud = {
        "cloud_instance_name": _cloud(services, base_url)["instance"],
        "cloud_audience_urn": "urn:federation:MicrosoftOnline",
    }
    if found is None:
        return {"ver": "1.0", "account_type": "Unknown", **cloud}
    return {"ver": "1.0", "account_type": "Managed", "domain_name": domain, **cloud}


def _tenant_id(services: IdentityServices, segment: str) -> str | None:
    """The tenant's id; None for `common` and `organizations`. There are no consumer accounts."""
    if segment.lower() in TENANTLESS - {"consumers"}:
        return None
    with services.store.connect() as connection:
        if segment.lower() == "consumers":
            raise OAuthError("tenant_not_found", tenant=segment)
        return resolve_tenant(connection, segment).tenant.tenant_id


def _supported(version: EndpointVersion) -> Document:
    if version == 1:
        return {
            "response_types_supported": ["code", "id_token", "code id_token", "token id_token", "token"],
            "scopes_supported": ["openid"],
            "microsoft_multi_refresh_token": True,
        }
    return {
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
    }


def _jwk(
    services: IdentityServices, tenant_id: str, key: PublishedKey, base_url: str, version: EndpointVersion
) -> Document:
    issuer: Document = {"issuer": services.issuers.issuer(base_url, tenant_id, 2)} if version == 2 else {}
    return {**key.to_jwk(), **issuer}


def _cloud(services: IdentityServices, base_url: str) -> dict[str, str]:
    """Names of the cloud: the real service's on its own hosts, else the host that was asked."""
    if services.issuers.is_public(base_url):
        return {"instance": "microsoftonline.com", "graph": "https://graph.microsoft.com"}
    return {"instance": urlsplit(base_url).netloc, "graph": base_url}


def _cloud_names(services: IdentityServices, base_url: str) -> Document:
    cloud, public = _cloud(services, base_url), services.issuers.is_public(base_url)
    return {
        "cloud_instance_name": cloud["instance"],
        "cloud_graph_host_name": "graph.windows.net" if public else cloud["instance"],
        "msgraph_host": urlsplit(cloud["graph"]).netloc,
        "rbac_url": "https://pas.windows.net" if public else base_url,
    }


def _environment(services: IdentityServices, host: str) -> Document:
    aliases = services.issuers.aliases(host)
    public = len(aliases) > 1
    return {
        "preferred_network": "login.microsoftonline.com" if public else host,
        "preferred_cache": "login.windows.net" if public else host,
        "aliases": list(aliases),
    }
