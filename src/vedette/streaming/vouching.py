"""Validation tokens: what a receiver of encrypted resource data checks before it believes who sent it.

A JWT of the tenant for the subscriber's application, issued to the publisher of change notifications and signed with
the tenant's key, so that the published key sets verify it.
"""

from urllib.parse import urlsplit

from vedette.contracts.notifications import load_notifications
from vedette.contracts.operations import load_operations
from vedette.identity.directory.tenants import Tenants
from vedette.identity.issuers import PUBLIC_V1_ISSUER
from vedette.identity.services import IdentityServices
from vedette.identity.tokens.claims import opaque
from vedette.streaming.subscriptions import Subscription


class Voucher:
    """Issues them."""

    def __init__(self, identity: IdentityServices) -> None:
        self._identity = identity

    def token(self, tenant_id: str, subscription: Subscription) -> str:
        """A token for the application of a subscription, or for the one that it names for this."""
        facts, now = load_notifications(), self._identity.now()
        issuer = self._issuer(subscription.base_url, tenant_id)
        claims = {
            "aud": subscription.notification_url_app_id or subscription.application_id,
            "iss": issuer,
            "iat": now,
            "nbf": now,
            "exp": now + facts.token_seconds,
            "aio": opaque(24),
            "appid": facts.publisher_app_id,
            "appidacr": "2",
            "idp": issuer,
            "tid": tenant_id,
            "uti": opaque(16),
            "ver": "1.0",
        }
        with self._identity.store.reading() as reading:
            key = self._identity.keyring.signing_key(reading, Tenants(reading.connection).get(tenant_id))
        return key.sign(claims, with_x5t=True)

    def _issuer(self, base_url: str, tenant_id: str) -> str:
        """The issuer of the host that was subscribed at; of Graph's own name, that of the real login service."""
        if urlsplit(base_url).hostname in load_operations()["graph"].hosts:
            return f"{PUBLIC_V1_ISSUER}/{tenant_id}/"
        return self._identity.issuers.issuer(base_url, tenant_id, 1)
