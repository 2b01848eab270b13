"""Which incident an alert belongs to: every alert to exactly one.

An alert joins an open incident if they share an asset or an artifact within a time frame; else it opens a resolved one
again that was not found harmless; else it opens a new one.
Assets link by themselves; artifacts that many devices have (files, addresses) only when judged suspicious or worse.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import msgspec
from sqlalchemy import ColumnElement, and_, func, or_, select

from vedette.clock import TICKS_PER_SECOND
from vedette.contracts.enums import load_enums
from vedette.incidents.evidence import (
    DeviceEvidence,
    Evidence,
    FileEvidence,
    IpEvidence,
    MailboxEvidence,
    MailMessageEvidence,
    ProcessEvidence,
    UrlEvidence,
    UserAccount,
    UserEvidence,
)
from vedette.incidents.incidents import OPEN_STATUSES, Incidents
from vedette.incidents.naming import AlertSummary, incident_name
from vedette.incidents.tables import ALERT_LINKS, ALERTS, INCIDENTS
from vedette.store.tenancy import TenantRepository

_HOUR = 3600 * TICKS_PER_SECOND


class LinkRule(msgspec.Struct, frozen=True):
    """How far apart two activities may be for a shared value of a kind to link them, and how much it counts."""

    window: int
    weight: int


LINK_RULES = {
    "process": LinkRule(24 * _HOUR, 8),
    "device": LinkRule(24 * _HOUR, 4),
    "user": LinkRule(24 * _HOUR, 4),
    "mailbox": LinkRule(24 * _HOUR, 4),
    "message": LinkRule(72 * _HOUR, 4),
    "file": LinkRule(72 * _HOUR, 2),
    "url": LinkRule(24 * _HOUR, 2),
    "ip": LinkRule(24 * _HOUR, 1),
}

HARMLESS = frozenset({"falsePositive", "informationalExpectedActivity"})
"""Classifications of resolved incidents that no new alert opens again."""

_SHARED_SIDS = frozenset({"S-1-5-18", "S-1-5-19", "S-1-5-20", "S-1-5-7", "S-1-1-0", "S-1-0-0"})
_SHARED_ACCOUNTS = frozenset({"system", "local service", "network service", "anonymous logon", "-", ""})
_SHARED_DOMAINS = frozenset({"nt authority", "nt-autorität", "autorite nt", "window manager", "font driver host"})
_SUSPECT = frozenset({"suspicious", "malicious"})


class Link(msgspec.Struct, frozen=True):
    """Something that two alerts may share."""

    kind: str
    value: str


def links_of(evidence: Iterable[Evidence]) -> frozenset[Link]:
    """Everything in `evidence` that may tie its alert to others."""
    return frozenset(
        Link(kind, value.lower()[:400]) for entity in evidence for kind, value in _linkable(entity) if value
    )


def _linkable(entity: Evidence) -> Iterator[tuple[str, str | None]]:
    match entity:
        case DeviceEvidence():
            yield "device", entity.device_id
        case UserEvidence():
            yield "user", _account_key(entity.account)
        case MailboxEvidence():
            yield "mailbox", entity.primary_address
        case MailMessageEvidence():
            yield "message", entity.network_message_id
        case ProcessEvidence() if entity.device_id and entity.process_id and entity.created:
            yield "process", f"{entity.device_id}/{entity.process_id}/{entity.created}"
        case FileEvidence() if entity.verdict in _SUSPECT:
            yield "file", entity.file.sha1 or entity.file.sha256 or entity.file.md5
        case IpEvidence() if entity.verdict in _SUSPECT:
            yield "ip", entity.address
        case UrlEvidence() if entity.verdict in _SUSPECT:
            yield "url", entity.url


def _account_key(account: UserAccount) -> str | None:
    """What identifies a person's account; None for accounts that every device has."""
    name, domain = (account.account_name or "").lower(), (account.domain_name or "").lower()
    if account.user_sid in _SHARED_SIDS or domain in _SHARED_DOMAINS or name.endswith("$"):
        return None
    if account.user_sid or account.object_id or account.user_principal_name:
        return account.user_sid or account.object_id or account.user_principal_name
    return None if name in _SHARED_ACCOUNTS else f"{domain}\\{name}"


class Activity(msgspec.Struct, frozen=True):
    """The span of time that an alert is about, in ticks."""

    first: int
    last: int


class Correlation(TenantRepository):
    """Finds incidents for alerts, within one tenant."""

    def correlate(self, links: frozenset[Link], activity: Activity) -> int | None:
        """The incident that shares most with an alert of these links and this time, open ones before resolved ones.

        None if there is none.
        """
        scores: dict[tuple[bool, int], int] = defaultdict(int)
        for kind, incident_id, is_open in self._related(links, activity):
            scores[is_open, incident_id] += LINK_RULES[kind].weight
        best = max(scores, key=lambda found: (found[0], scores[found], found[1]), default=None)
        return None if best is None else best[1]

    def _related(self, links: frozenset[Link], activity: Activity) -> Iterator[tuple[str, int, bool]]:
        by_kind: dict[str, list[str]] = defaultdict(list)
        for link in links:
            by_kind[link.kind].append(link.value)
        for kind, values in by_kind.items():
            window = LINK_RULES[kind].window
            statement = (
                select(ALERT_LINKS.c.value, ALERTS.c.incident_id, INCIDENTS.c.status)
                .join(ALERTS, _same_alert())
                .join(INCIDENTS, _same_incident())
                .where(
                    self.own(ALERT_LINKS),
                    ALERT_LINKS.c.kind == kind,
                    ALERT_LINKS.c.value.in_(values),
                    or_(INCIDENTS.c.status.in_(OPEN_STATUSES), _may_reopen()),
                    ALERTS.c.last_activity >= activity.first - window,
                    ALERTS.c.first_activity <= activity.last + window,
                )
                .distinct()
            )
            for row in self.connection.execute(statement):
                yield kind, row.incident_id, row.status in OPEN_STATUSES

    def remember(self, alert_id: str, incident_id: int, links: frozenset[Link]) -> None:
        """Keep an alert's links for the alerts that come after it."""
        rows = [
            {
                "tenant_id": self.tenant_id,
                "kind": link.kind,
                "value": link.value,
                "alert_id": alert_id,
                "incident_id": incident_id,
            }
            for link in sorted(links, key=lambda link: (link.kind, link.value))
        ]
        if rows:
            self.connection.execute(ALERT_LINKS.insert(), rows)

    def rename(self, incident_id: int, *, anew: bool = False) -> None:
        """Give an incident the name and severity that follow from its alerts; `anew`: one that a person named too."""
        statement = (
            select(ALERTS.c.title, ALERTS.c.category, ALERTS.c.severity)
            .where(self.own(ALERTS), ALERTS.c.incident_id == incident_id)
            .order_by(ALERTS.c.first_activity, ALERTS.c.alert_id)
        )
        rows = self.connection.execute(statement).all()
        summaries = [AlertSummary(row.title, row.category) for row in rows]
        counts = self._count_links(incident_id)
        name = incident_name(summaries, counts.get("device", 0), counts.get("user", 0))
        Incidents(self.connection, self.tenant_id).describe(
            incident_id, name, highest_severity([row.severity for row in rows]), anew=anew
        )

    def _count_links(self, incident_id: int) -> dict[str, int]:
        """How many different values of each kind the alerts of an incident have."""
        links = ALERT_LINKS.c
        statement = (
            select(links.kind, func.count(func.distinct(links.value)))
            .where(self.own(ALERT_LINKS), links.incident_id == incident_id)
            .group_by(links.kind)
        )
        return {row.kind: row[1] for row in self.connection.execute(statement)}


def highest_severity(severities: Sequence[str]) -> str:
    """The gravest of severities, in the order of the contract's enum."""
    order = [member.name for member in load_enums()["alertSeverity"].members]
    return max(severities, key=order.index)


def _may_reopen() -> ColumnElement[bool]:
    return and_(INCIDENTS.c.status == "resolved", INCIDENTS.c.classification.not_in(HARMLESS))


def _same_alert() -> ColumnElement[bool]:
    return and_(ALERTS.c.tenant_id == ALERT_LINKS.c.tenant_id, ALERTS.c.alert_id == ALERT_LINKS.c.alert_id)


def _same_incident() -> ColumnElement[bool]:
    return and_(INCIDENTS.c.tenant_id == ALERTS.c.tenant_id, INCIDENTS.c.incident_id == ALERTS.c.incident_id)
