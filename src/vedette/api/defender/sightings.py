"""Files, domains, addresses and users: statistics, alerts and machines, from telemetry and the stores."""

import dataclasses
import ipaddress
import re
from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import ColumnElement, Connection, and_

from vedette.api.cursors import CursorBox
from vedette.api.defender.alert_lists import AlertLists
from vedette.api.defender.answers import entity, found, odata_context, page_answer, without_options
from vedette.api.defender.endpoint import EndpointParts
from vedette.api.defender.machine_entities import to_machine
from vedette.api.defender.machines import find_machine, machine_rules
from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.render import json_answer
from vedette.clock import TICKS_PER_SECOND, format_ticks, now_ticks
from vedette.context import RequestContext, Tenant
from vedette.errors import InvalidRequestError
from vedette.incidents.evidence import FileDetails
from vedette.incidents.related import on_device, with_address, with_domain, with_file, with_user
from vedette.machines.inventory import Machine, Machines
from vedette.machines.sightings import HASH_COLUMNS, FileProfile, Sighting, Sightings
from vedette.machines.tables import MACHINES
from vedette.machines.telemetry import Telemetry

MAX_LOOKBACK_HOURS = 720
_HOUR = 3600 * TICKS_PER_SECOND
_HEX = re.compile(r"[0-9a-f]+")
_DOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9])?")


class File(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A file. What the world thinks of it is not known here: prevalence is the tenant's."""

    sha1: str | None
    sha256: str | None
    md5: str | None
    global_prevalence: int | None
    global_first_observed: str | None
    global_last_observed: str | None
    size: int | None
    file_type: str | None
    is_pe_file: bool
    file_publisher: str | None
    file_product_name: str | None
    signer: str | None
    issuer: str | None
    signer_hash: str | None
    is_valid_certificate: bool | None
    determination_type: str
    determination_value: str


class FileDescriptions:
    """Describes files as their operations and those of alerts show them."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    def describe(self, tenant: Tenant, file: FileDetails) -> File:
        """A file of an alert: as telemetry knows it, else as the evidence says."""
        digest = file.sha1 or file.sha256 or ""
        profile = Sightings(self._telemetry, tenant).file(digest) if len(digest) in HASH_COLUMNS else None
        if profile is not None:
            return to_file(profile)
        return to_file(FileProfile(Sighting(), file.sha1, file.sha256, file.md5, file.file_size, ()))


def to_file(profile: FileProfile) -> File:
    """The wire form of a file."""
    return File(
        sha1=profile.sha1,
        sha256=profile.sha256,
        md5=profile.md5,
        global_prevalence=len(profile.seen.device_ids) or None,
        global_first_observed=_time(profile.seen.first),
        global_last_observed=_time(profile.seen.last),
        size=profile.size,
        file_type="PortableExecutable" if profile.is_image else None,
        is_pe_file=profile.is_image,
        file_publisher=profile.signer,
        file_product_name=None,
        signer=profile.signer,
        issuer=profile.issuer,
        signer_hash=profile.signer_hash,
        is_valid_certificate=profile.is_trusted,
        determination_type="Unknown",
        determination_value="",
    )


class DefenderSightings:
    """Handlers."""

    def __init__(self, parts: EndpointParts, cursors: CursorBox) -> None:
        self._parts = parts
        self._alerts = AlertLists(parts, cursors)

    def file(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/files/{id}."""
        without_options(request)
        digest = _digest(request)
        return entity(request, "Files", to_file(found(self._sightings(context).file(digest), "File", digest)))

    def file_stats(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/files/{id}/stats."""
        digest = _digest(request)
        profile = found(self._sightings(context).file(digest, self._since(request)), "File", digest)
        seen = _seen(profile.seen)
        members = {
            "sha1": profile.sha1,
            **seen,
            "globalPrevalence": seen["orgPrevalence"],
            "globallyPrevalence": seen["organizationPrevalence"],
            "globalFirstObserved": seen["orgFirstSeen"],
            "globalLastObserved": seen["orgLastSeen"],
            "topFileNames": list(profile.names),
        }
        return _stats(request, "InOrgFileStats", members)

    def file_alerts(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/files/{id}/alerts."""
        return self._alerts.answer(context, request, with_file(context.tenant.tenant_id, _digest(request)))

    def file_machines(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/files/{id}/machines."""
        profile = self._sightings(context).file(_digest(request))
        return self._machines(context, request, profile.seen if profile else Sighting())

    def domain_stats(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/domains/{domain}/stats: nothing known is a prevalence of 0."""
        name = _domain(request)
        seen = self._sightings(context).domain(name, self._since(request))
        return _stats(request, "InOrgDomainStats", {"host": name, **_seen(seen)})

    def domain_alerts(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/domains/{domain}/alerts."""
        return self._alerts.answer(context, request, with_domain(context.tenant.tenant_id, _domain(request)))

    def domain_machines(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/domains/{domain}/machines."""
        return self._machines(context, request, self._sightings(context).domain(_domain(request)))

    def ip_stats(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/ips/{ip}/stats."""
        address = _address(request)
        seen = self._sightings(context).address(address, self._since(request))
        return _stats(request, "InOrgIPStats", {"ipAddress": address, **_seen(seen)})

    def ip_alerts(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/ips/{ip}/alerts."""
        return self._alerts.answer(context, request, with_address(context.tenant.tenant_id, _address(request)))

    def user_alerts(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/users/{name}/alerts."""
        name = request.path_parameters["name"].rpartition("\\")[2]
        return self._alerts.answer(context, request, with_user(context.tenant.tenant_id, name))

    def user_machines(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/users/{name}/machines."""
        with self._parts.store.connect() as connection:
            machines = self._stored(connection, context)
            logged_on = machines.by_account(request.path_parameters["name"])
            return self._among(context, request, machines, (each.machine_id for each in logged_on))

    def machine_alerts(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/machines/{id}/alerts."""
        return self._alerts.answer(context, request, self._on_machine(context, request))

    def machine_alert_count(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/machines/{id}/alerts/$count."""
        return self._alerts.count(context, request, self._on_machine(context, request))

    def _on_machine(self, context: RequestContext, request: ApiRequest) -> ColumnElement[bool]:
        with self._parts.store.connect() as connection:
            machine: Machine = find_machine(self._stored(connection, context), request)
        return on_device(context.tenant.tenant_id, machine.machine_id)

    def _sightings(self, context: RequestContext) -> Sightings:
        return Sightings(self._parts.telemetry.within(context.scope), context.tenant)

    def _since(self, request: ApiRequest) -> int | None:
        pairs = {name.lower(): value for name, value in without_options(request).items()}
        text = pairs.get("lookbackhours")
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= MAX_LOOKBACK_HOURS):
            raise InvalidRequestError("InvalidParameter", parameter="lookBackHours")
        return now_ticks(self._parts.clock) - int(text) * _HOUR

    def _machines(self, context: RequestContext, request: ApiRequest, seen: Sighting) -> ApiResponse:
        with self._parts.store.connect() as connection:
            return self._among(context, request, self._stored(connection, context), seen.device_ids)

    def _among(
        self, context: RequestContext, request: ApiRequest, machines: Machines, machine_ids: Iterable[str]
    ) -> ApiResponse:
        among = MACHINES.c.machine_id.in_(sorted({each.lower() for each in machine_ids}))
        query, cursor = self._parts.lists.read(context, request, machine_rules(machines))
        asked = query.selection.condition
        condition = among if asked is None else and_(asked, among)
        query = dataclasses.replace(query, selection=dataclasses.replace(query.selection, condition=condition))
        page = self._parts.lists.page(context, request, (query, cursor), machines)
        return page_answer(request, "Machines", query, page, to_machine)

    def _stored(self, connection: Connection, context: RequestContext) -> Machines:
        return Machines(connection, context.tenant.tenant_id, now_ticks(self._parts.clock), context.scope)


def _stats(request: ApiRequest, type_: str, members: Mapping[str, object]) -> ApiResponse:
    name = odata_context(request, f"microsoft.windowsDefenderATP.api.{type_}")
    return json_answer({"@odata.context": name, **members})


def _seen(seen: Sighting) -> dict[str, object]:
    """Numbers of machines are answered twice: as a text by their old name, as a number by their new one."""
    return {
        "orgPrevalence": str(len(seen.device_ids)),
        "organizationPrevalence": len(seen.device_ids),
        "orgFirstSeen": _time(seen.first),
        "orgLastSeen": _time(seen.last),
    }


def _digest(request: ApiRequest) -> str:
    text = request.path_parameters["id"].lower()
    if len(text) not in HASH_COLUMNS or not _HEX.fullmatch(text):
        raise InvalidRequestError("InvalidHashValue", value=text)
    return text


def _domain(request: ApiRequest) -> str:
    text = request.path_parameters["domain"].lower().rstrip(".")
    if not _DOMAIN.fullmatch(text):
        raise InvalidRequestError("InvalidDomainName", value=text)
    return text


def _address(request: ApiRequest) -> str:
    text = request.path_parameters["ip"]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError as error:
        raise InvalidRequestError("InvalidIpAddress", value=text) from error


def _time(ticks: int | None) -> str | None:
    return None if ticks is None else format_ticks(ticks)
