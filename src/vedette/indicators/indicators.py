"""Indicators of compromise: what a customer allows, audits or blocks. One per value and type."""

import ipaddress
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, exists, func, or_, select

from vedette.errors import InvalidRequestError, NotFoundError, PermissionDeniedError
from vedette.indicators.tables import INDICATOR_COUNTERS, INDICATORS
from vedette.odata.json_texts import json_texts
from vedette.odata.paging import KEYS_OF_ONE_STATEMENT, SortKey, order_rows
from vedette.store.engine import conflict_insert
from vedette.store.tenancy import TenantRepository

MAX_ACTIVE = 15_000
"""Active indicators of a tenant (MicrosoftDocs/defender-docs defender-endpoint/api/post-ti-indicator.md)."""

INDICATOR_FIELDS: Mapping[str, ColumnElement[Any]] = {column.name: column for column in INDICATORS.columns}
"""Columns that surfaces may filter and sort by."""

_DOMAIN = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9][a-z0-9-]{0,61}[a-z0-9]")


class NewIndicator(msgspec.Struct, frozen=True, kw_only=True):
    """An indicator to be, or to be changed. Words in the API's spelling."""

    value: str
    type: str
    action: str
    title: str
    description: str
    severity: str = "Informational"
    application: str | None = None
    recommended_actions: str | None = None
    educate_url: str | None = None
    generate_alert: bool = False
    rbac_group_names: tuple[str, ...] = ()
    expires: int | None = None
    external_id: str | None = None
    """What its author knows it by; None keeps what is kept."""
    details: Mapping[str, Any] | None = None
    """What only Graph's tiIndicator says; None keeps what is kept."""


class Author(msgspec.Struct, frozen=True):
    """Who writes. `sees_all` is false for applications that may touch only what they made themselves."""

    author_id: str
    name: str
    source_type: str
    sees_all: bool
    exposed_to: frozenset[str] | None = None
    """Names of the device groups whose machines the author sees; None: of all machines."""

    def may_write_for(self, groups: Collection[str]) -> bool:
        """Whether everything that an indicator for these groups is about is in sight. No groups are all machines."""
        return self.exposed_to is None or (bool(groups) and self.exposed_to.issuperset(groups))


class Indicator(msgspec.Struct, frozen=True):
    """One indicator."""

    indicator_id: int
    value: str
    match_value: str
    type: str
    action: str
    application: str | None
    source: str
    source_type: str
    title: str
    description: str
    severity: str
    recommended_actions: str | None
    educate_url: str | None
    generate_alert: bool
    rbac_group_names: tuple[str, ...]
    created_by: str
    created_by_name: str
    last_updated_by: str | None
    created: int
    last_update: int
    expires: int | None
    details: Mapping[str, Any] | None = None

    @property
    def external_id(self) -> str | None:
        """What its author knows it by."""
        known = (self.details or {}).get("externalId")
        return None if known is None else str(known)


class Indicators(TenantRepository):
    """The indicators of one tenant, as far as their author may see them."""

    def __init__(
        self, connection: Connection, tenant_id: str, author: Author | None = None, active_at: int | None = None
    ) -> None:
        """Without an author all are seen; with `active_at` an expired one counts as gone."""
        super().__init__(connection, tenant_id)
        self._author = author
        self._active_at = active_at

    def get(self, indicator_id: int) -> Indicator | None:
        """One indicator, or None."""
        return self._one(INDICATORS.c.indicator_id == indicator_id)

    def keys(self, condition: ColumnElement[bool] | None, order: Sequence[SortKey]) -> list[int | str]:
        """The ids of those that meet a condition, in an order."""
        statement = select(INDICATORS.c.indicator_id).where(self.own(INDICATORS), self._seen())
        return list(self.connection.scalars(order_rows(statement, condition, order)))

    def of_keys(self, keys: Sequence[int | str]) -> list[Indicator]:
        """Those that still are, in the order of their ids."""
        found: dict[int | str, Indicator] = {}
        for start in range(0, len(keys), KEYS_OF_ONE_STATEMENT):
            some = INDICATORS.c.indicator_id.in_(keys[start : start + KEYS_OF_ONE_STATEMENT])
            statement = self.select(INDICATORS).where(some, self._seen())
            found |= {row.indicator_id: _to_indicator(row) for row in self.connection.execute(statement)}
        return [found[key] for key in keys if key in found]

    def count(self, condition: ColumnElement[bool] | None) -> int:
        """How many indicators meet `condition`."""
        statement = select(func.count()).select_from(INDICATORS).where(self.own(INDICATORS), self._seen())
        return int(self.connection.scalar(statement if condition is None else statement.where(condition)) or 0)

    def active(self, now: int) -> list[Indicator]:
        """Those that have not expired."""
        return [_to_indicator(row) for row in self.connection.execute(self.select(INDICATORS).where(is_active(now)))]

    def put(self, new: NewIndicator, author: Author, now: int) -> Indicator:
        """Create, or change the one of the same value and type.

        Raises InvalidRequestError if it is beyond the limit, or somebody else's and the author may not see it;
        PermissionDeniedError if it is or was for machines that the author does not see.
        """
        _require_exposure(author, new.rbac_group_names)
        match_value = normalized(new.type, new.value)
        same = and_(INDICATORS.c.type == new.type, INDICATORS.c.match_value == match_value)
        row = self.connection.execute(self.select(INDICATORS).where(same)).first()
        if row is not None and self._active_at is not None and row.expires is not None and row.expires <= now:
            self.connection.execute(self.delete(INDICATORS).where(INDICATORS.c.indicator_id == row.indicator_id))
            row = None
        details = new.details
        if details is None and new.external_id is not None:
            details = {**((row and row.details) or {}), "externalId": new.external_id}
        values: dict[str, object] = {
            "value": new.value,
            "action": new.action,
            "title": new.title,
            "description": new.description,
            "severity": new.severity,
            "recommended_actions": new.recommended_actions,
            "educate_url": new.educate_url,
            "generate_alert": new.generate_alert,
            "rbac_group_names": list(new.rbac_group_names),
            "expires": new.expires,
            "last_update": now,
            **({} if details is None else {"details": dict(details)}),
        }
        if row is None:
            return self._add(new, match_value, author, now, values)
        if not author.sees_all and row.created_by != author.author_id:
            raise InvalidRequestError("InvalidInput", reason="An indicator of this value belongs to somebody else.")
        _require_exposure(author, row.rbac_group_names)
        statement = self.update(INDICATORS).where(INDICATORS.c.indicator_id == row.indicator_id)
        self.connection.execute(statement.values(last_updated_by=author.author_id, **values))
        return self._stored(row.indicator_id)

    def remove(self, indicator_ids: Iterable[int]) -> None:
        """Delete all of them, or none.

        Raises NotFoundError naming one that does not exist or is somebody else's, PermissionDeniedError for one that is
        for machines that the author does not see.
        """
        wanted = set(indicator_ids)
        columns = INDICATORS.c.indicator_id, INDICATORS.c.rbac_group_names
        found = self.connection.execute(
            select(*columns).where(self.own(INDICATORS), self._authored(), INDICATORS.c.indicator_id.in_(wanted))
        ).all()
        missing = wanted - {row.indicator_id for row in found}
        if missing:
            raise NotFoundError(resource=f"Indicator {min(missing)}")
        for row in found:
            _require_exposure(self._author, row.rbac_group_names)
        self.connection.execute(self.delete(INDICATORS).where(INDICATORS.c.indicator_id.in_(wanted)))

    def _add(
        self, new: NewIndicator, match_value: str, author: Author, now: int, values: dict[str, object]
    ) -> Indicator:
        active = select(func.count()).select_from(INDICATORS).where(self.own(INDICATORS), is_active(now))
        if int(self.connection.scalar(active) or 0) >= MAX_ACTIVE:
            raise InvalidRequestError("InvalidInput", reason=f"A tenant has at most {MAX_ACTIVE} active indicators.")
        indicator_id = self._next_id()
        self.insert(
            INDICATORS,
            indicator_id=indicator_id,
            match_value=match_value,
            type=new.type,
            application=new.application,
            source=author.name,
            source_type=author.source_type,
            created_by=author.author_id,
            created_by_name=author.name,
            created=now,
            **values,
        )
        return self._stored(indicator_id)

    def _stored(self, indicator_id: int) -> Indicator:
        row = self.connection.execute(self.select(INDICATORS).where(INDICATORS.c.indicator_id == indicator_id)).one()
        return _to_indicator(row)

    def _one(self, condition: ColumnElement[bool]) -> Indicator | None:
        row = self.connection.execute(self.select(INDICATORS).where(condition, self._seen())).first()
        return None if row is None else _to_indicator(row)

    def _seen(self) -> ColumnElement[bool]:
        """What the author may touch and what is for a machine that they see."""
        if self._author is None or self._author.exposed_to is None:
            return self._authored()
        names = INDICATORS.c.rbac_group_names
        group = json_texts(names).table_valued("value", name="exposed_group")
        of_a_seen_group = exists().select_from(group).where(group.c.value.in_(sorted(self._author.exposed_to)))
        return and_(self._authored(), or_(func.json_array_length(names) == 0, of_a_seen_group))

    def _authored(self) -> ColumnElement[bool]:
        conditions = [self.own(INDICATORS)]
        if self._active_at is not None:
            conditions.append(is_active(self._active_at))
        if self._author is not None and not self._author.sees_all:
            conditions.append(INDICATORS.c.created_by == self._author.author_id)
        return and_(*conditions)

    def _next_id(self) -> int:
        table = INDICATOR_COUNTERS
        counter = conflict_insert(self.connection, table).values(tenant_id=self.tenant_id, last_indicator_id=1)
        statement = counter.on_conflict_do_update(
            index_elements=[table.c.tenant_id], set_={"last_indicator_id": table.c.last_indicator_id + 1}
        ).returning(table.c.last_indicator_id)
        return int(self.connection.execute(statement).scalar_one())


def _require_exposure(author: Author | None, groups: Collection[str]) -> None:
    if author is not None and not author.may_write_for(groups):
        raise PermissionDeniedError("DeviceGroupNotExposed", groups=", ".join(groups) or "all devices")


def is_active(now: int) -> ColumnElement[bool]:
    """The condition that an indicator has not expired."""
    return or_(INDICATORS.c.expires.is_(None), INDICATORS.c.expires > now)


def normalized(type_: str, value: str) -> str:
    """The form in which values are compared. Raises InvalidRequestError for what is no value of the type."""
    return _NORMALIZERS[type_](value.strip())


def _hash(digits: int) -> Callable[[str], str]:
    pattern = re.compile(rf"[0-9a-f]{{{digits}}}")

    def normalize(value: str) -> str:
        if not pattern.fullmatch(value.lower()):
            raise InvalidRequestError("InvalidHashValue", value=value)
        return value.lower()

    return normalize


def _address(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value))  # a network (CIDR) is none
    except ValueError as error:
        raise InvalidRequestError("InvalidIpAddress", value=value) from error


def _domain(value: str) -> str:
    name = value.lower().rstrip(".")
    if not _DOMAIN.fullmatch(name):
        raise InvalidRequestError("InvalidDomainName", value=value)
    return name


def _url(value: str) -> str:
    """Without scheme and closing slash: events carry addresses with and without."""
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        host = parts.hostname or ""
    except ValueError as error:
        raise InvalidRequestError("InvalidUrl", value=value) from error
    if parts.scheme.lower() not in ("http", "https") or not host or any(c.isspace() for c in value):
        raise InvalidRequestError("InvalidUrl", value=value)
    return comparable_url(value)[:2048]


def comparable_url(text: str) -> str:
    """An address as URL indicators are compared with it."""
    return text.lower().removeprefix("http://").removeprefix("https://").rstrip("/")


_NORMALIZERS: Mapping[str, Callable[[str], str]] = {
    "FileSha1": _hash(40),
    "FileSha256": _hash(64),
    "FileMd5": _hash(32),
    "CertificateThumbprint": _hash(40),
    "IpAddress": _address,
    "DomainName": _domain,
    "Url": _url,
}


def _to_indicator(row: Row[Any]) -> Indicator:
    values = {name: getattr(row, name) for name in Indicator.__struct_fields__}
    return Indicator(**{**values, "rbac_group_names": tuple(row.rbac_group_names)})
