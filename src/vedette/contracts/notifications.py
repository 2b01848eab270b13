"""Facts of change notifications: their publisher, and the limits of subscriptions and deliveries."""

import functools

import msgspec

from vedette.contracts.loader import data_folder, load_document


class NotificationContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    publisher_app_id: str
    """Who validation tokens are issued to: receivers compare it."""
    longest_minutes: int
    """Life of a subscription to security resources."""
    longest_client_state: int
    longest_certificate_id: int
    delivery_seconds: int
    """How long a delivery is tried."""
    validation_seconds: int
    warning_seconds: int
    """How long before its end a subscription is warned of."""
    token_seconds: int
    """Life of a validation token."""
    tls_versions: tuple[str, ...]
    sources: tuple[str, ...]


@functools.cache
def load_notifications() -> NotificationContract:
    """The facts, loaded once."""
    return load_document(data_folder() / "notifications.toml", NotificationContract)
