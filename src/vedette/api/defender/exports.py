"""The export families: records by machine, a page at a time as JSON or all of them as files behind links."""

import gzip
import re
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from vedette.api.defender.answers import collection, odata_context
from vedette.api.defender.endpoint import EndpointParts
from vedette.api.defender.inventory_records import certificate_record, component_record, extension_record
from vedette.api.defender.machine_records import (
    NO_GROUPS,
    baseline_record,
    change_record,
    configuration_record,
    gathered_record,
    software_record,
    uncoded_software_record,
    vulnerability_record,
)
from vedette.api.downloads import Download
from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.render import json_answer
from vedette.clock import format_ticks, now_ticks
from vedette.context import DataScope, RequestContext, Tenant
from vedette.errors import InvalidRequestError
from vedette.machines.assessments import Assessments
from vedette.machines.device_groups import DeviceGroups
from vedette.machines.inventory import Machine, Machines
from vedette.machines.tables import MACHINES
from vedette.machines.telemetry import Row, Telemetry
from vedette.machines.weaknesses import Weaknesses
from vedette.odata.dates import parse_ticks
from vedette.odata.options import decode_query, parse_options
from vedette.odata.paging import decode_token, encode_token

DEFAULT_PAGE = 50_000
MAX_PAGE = 200_000
KIND = "export"

_OFFERED = frozenset({"$top", "$skiptoken"})
_OWN = frozenset({"pagesize", "sincetime", "sasvalidhours"})
_ENCODER = msgspec.json.Encoder()
_OS_MEMBER = re.compile("^Os(?=[A-Z])")


class Source(msgspec.Struct, frozen=True):
    """What the rows of a page are read from: the records behind one, and for changes since when (ticks)."""

    telemetry: Telemetry
    tenant: Tenant
    after: str | None
    limit: int
    since: int = 0

    @property
    def weaknesses(self) -> Weaknesses:
        """Vulnerabilities, software and configurations."""
        return Weaknesses(self.telemetry, self.tenant)

    @property
    def assessments(self) -> Assessments:
        """What only exports show."""
        return Assessments(self.telemetry, self.tenant)


class Family(msgspec.Struct, frozen=True):
    """One family: where its rows come from and what they look like.

    `hours`: life of a link, and the longest. `capitals`: members begin with capitals in files, though not in pages
    (MicrosoftDocs/microsoft-365-docs#5877 and #13118).
    """

    set_name: str
    rows: Callable[[Source], list[Row]]
    record: Callable[[Row, Machine | None], dict[str, object]]
    hours: tuple[int, int] = (1, 6)
    capitals: bool = False


FAMILIES: Mapping[str, Family] = {
    "vulnerabilities": Family(
        "AssetVulnerability",
        lambda source: source.weaknesses.vulnerability_records(source.after, source.limit),
        vulnerability_record,
        capitals=True,
    ),
    "changes": Family(
        "DeltaAssetVulnerability",
        lambda source: source.assessments.changes(source.since, source.after, source.limit),
        change_record,
    ),
    "software": Family(
        "AssetSoftware",
        lambda source: source.weaknesses.software_records(source.after, source.limit),
        software_record,
        capitals=True,
    ),
    "uncoded_software": Family(
        "AssetNonCpeSoftware",
        lambda source: source.assessments.uncoded_software(source.after, source.limit),
        uncoded_software_record,
        hours=(3, 24),
    ),
    "configurations": Family(
        "AssetConfiguration",
        lambda source: source.weaknesses.configuration_records(source.after, source.limit),
        configuration_record,
        capitals=True,
    ),
    "baselines": Family(
        "AssetBaselineAssessment",
        lambda source: source.assessments.baselines(source.after, source.limit),
        baseline_record,
    ),
    "gathered": Family(
        "AssetInformation",
        lambda source: source.assessments.gathered(source.after, source.limit),
        gathered_record,
    ),
    "extensions": Family(
        "AssetBrowserExtension",
        lambda source: source.assessments.extensions(source.after, source.limit),
        extension_record,
    ),
    "certificates": Family(
        "AssetCertificateAssessment",
        lambda source: source.assessments.certificates(source.after, source.limit),
        certificate_record,
        hours=(3, 24),
    ),
    "components": Family(
        "AssetHardwareFirmware",
        lambda source: source.assessments.components(source.after, source.limit),
        component_record,
    ),
}
"""Links of most families live for an hour, six at most, as their pages say; of others for three, a day at most."""


class DefenderExports:
    """Handlers."""

    def __init__(self, parts: EndpointParts) -> None:
        self._parts = parts

    def page(self, family: str) -> Callable[[RequestContext, ApiRequest], ApiResponse]:
        """GET /api/machines/…ByMachine of a family."""

        def answer(context: RequestContext, request: ApiRequest) -> ApiResponse:
            own, system = _parameters(request)
            options = parse_options(system, _OFFERED)
            size = _page_size(own) if options.top is None else options.top
            if size > MAX_PAGE:
                raise InvalidRequestError("TopExceeded", limit=MAX_PAGE, value=size)
            after = _behind(options.skip_token)
            since = _since(own) if family == "changes" else 0
            telemetry = self._parts.telemetry.within(context.scope)
            rows = FAMILIES[family].rows(Source(telemetry, context.tenant, after, size + 1, since))
            link = None
            if len(rows) > size and options.top is None:
                link = _next_link(request, own, size, str(rows[size - 1]["Id"]))
            with self._parts.store.connect() as connection:
                machines = Machines(connection, context.tenant.tenant_id, now_ticks(self._parts.clock), context.scope)
                records = _records(machines, family, rows[:size])
            name = f"Collection(microsoft.windowsDefenderATP.api.{FAMILIES[family].set_name})"
            return collection(request, name, records, next_link=link)

        return answer

    def files(self, family: str) -> Callable[[RequestContext, ApiRequest], ApiResponse]:
        """GET /api/machines/…Export of a family. A file is made when it is fetched."""

        def answer(context: RequestContext, request: ApiRequest) -> ApiResponse:
            own, system = _parameters(request)
            parse_options(system, frozenset())
            hours, longest = FAMILIES[family].hours
            hours = _whole(own.get("sasvalidhours", str(hours)), "sasValidHours", longest)
            tenant = context.tenant
            key = (family, tenant.domain, _ENCODER.encode(context.scope).decode())
            link = self._parts.links.make(request.base_url, tenant.tenant_id, KIND, *key, seconds=hours * 3600)
            return json_answer(
                {
                    "@odata.context": odata_context(request, "microsoft.windowsDefenderATP.api.ExportFilesResponse"),
                    "exportFiles": [link],
                    "generatedTime": format_ticks(now_ticks(self._parts.clock)),
                }
            )

        return answer

    def file(self, download: Download) -> ApiResponse:
        """The file behind a link: gzip, a record a line, of what its maker saw."""
        family, domain, seen = download.key
        scope = msgspec.json.decode(seen, type=DataScope)
        tenant = Tenant(download.tenant_id, domain, domain)
        lines: list[bytes] = []
        after: str | None = None
        telemetry = self._parts.telemetry.within(scope)
        while rows := FAMILIES[family].rows(Source(telemetry, tenant, after, DEFAULT_PAGE)):
            with self._parts.store.connect() as connection:
                machines = Machines(connection, download.tenant_id, now_ticks(self._parts.clock), scope)
                records = _records(machines, family, rows)
            lines += map(_ENCODER.encode, map(_with_capitals, records) if FAMILIES[family].capitals else records)
            after = str(rows[-1]["Id"])
        content = gzip.compress(b"".join(line + b"\n" for line in lines), 6, mtime=0)
        disposition = f'attachment; filename="{family}.json.gz"'
        return ApiResponse(200, content, "application/gzip", {"content-disposition": disposition})


def _with_capitals(record: Mapping[str, object]) -> dict[str, object]:
    """`deviceId` as `DeviceId`, `osPlatform` as `OSPlatform`."""
    return {_OS_MEMBER.sub("OS", name[:1].upper() + name[1:]): value for name, value in record.items()}


def _records(machines: Machines, family: str, rows: Sequence[Row]) -> list[dict[str, object]]:
    has_groups = bool(DeviceGroups(machines.connection, machines.tenant_id).all())
    by_id = {
        each.machine_id: each if each.rbac_group_name or has_groups else replace(each, rbac_group_name=NO_GROUPS)
        for each in machines.of_ids(str(row["DeviceId"]) for row in rows)
    }
    record = FAMILIES[family].record
    return [record(row, by_id.get(str(row["DeviceId"]).lower())) for row in rows]


def _parameters(request: ApiRequest) -> tuple[dict[str, str], dict[str, str]]:
    """The parameters of the exports by lower-case name, and the system options.

    One page writes `$sasValidHours`, two have blanks behind a number: both are taken.
    """
    own: dict[str, str] = {}
    system: dict[str, str] = {}
    for name, value in decode_query(request.query).items():
        plain = name.removeprefix("$").lower()
        if plain in _OWN or not name.startswith("$"):
            own[plain] = value.strip()
        else:
            system[name] = value
    return own, system


def _page_size(own: Mapping[str, str]) -> int:
    return _whole(own.get("pagesize", str(DEFAULT_PAGE)), "pageSize", MAX_PAGE)


def _whole(text: str, parameter: str, limit: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= limit):
        raise InvalidRequestError("InvalidParameter", parameter=parameter)
    return int(text)


def _behind(token: str | None) -> str | None:
    if token is None:
        return None
    return str(decode_token(token, ((MACHINES.c.machine_id, False),))[0])


def _since(own: Mapping[str, str]) -> int:
    """The time that changes are asked since, which has to be given."""
    text = own.get("sincetime", "")
    ticks = parse_ticks(text)
    if ticks is None:
        raise InvalidRequestError("InvalidParameter" if text else "MissingParameter", parameter="sinceTime")
    return ticks


def _next_link(request: ApiRequest, own: Mapping[str, str], size: int, last: str) -> str:
    since = f"&sinceTime={quote(own['sincetime'], safe='')}" if own.get("sincetime") else ""
    return f"{request.base_url}{request.path}?pageSize={size}{since}&$skiptoken={encode_token((last,))}"
