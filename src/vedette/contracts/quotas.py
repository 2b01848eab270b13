"""Call quotas by class, and the limits of hunting queries, per profile. The default profile has none of them."""

import functools
from collections.abc import Mapping

import msgspec

from vedette.contracts.loader import data_folder, load_document
from vedette.errors import SettingsError


class CallQuota(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Calls per tenant. None: unlimited."""

    per_minute: int | None = None
    per_hour: int | None = None
    by_operation: bool = False
    """Whether each operation of the class is counted for itself."""


class HuntingQuota(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of one hunting query and of a tenant's use. None: unlimited."""

    lookback_days: int | None = None
    rows: int | None = None
    result_bytes: int | None = None
    seconds: float | None = None
    cpu_cycle_seconds: float | None = None
    run_seconds_per_hour: float | None = None
    run_seconds_per_day: float | None = None


class QuotaProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One profile: call quotas by the class that operations name, and hunting limits, some of a class's own."""

    calls: Mapping[str, CallQuota]
    hunting: HuntingQuota
    hunting_by_class: Mapping[str, HuntingQuota] = {}
    live_response_sessions: int | None = None
    """Live-response actions of a tenant that may be unfinished at the same time."""
    source: str = "vedette"


class QuotasDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of quotas."""

    profiles: Mapping[str, QuotaProfile]


@functools.cache
def load_quota_profile(name: str) -> QuotaProfile:
    """The profile of this name. Raises SettingsError if there is none."""
    profiles = load_document(data_folder() / "quotas.toml", QuotasDocument).profiles
    if name not in profiles:
        raise SettingsError(f"no quota profile {name!r}; there are {', '.join(sorted(profiles))}")
    return profiles[name]
