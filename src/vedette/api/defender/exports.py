"""The three export families: records by machine, a page at a time as JSON or all of them as files behind links."""

import gzip
from collections.abc import Callable, Mapping, Sequence

import msgspec

from vedette.api.defender.answers import collection, odata_context
from vedette.api.defender.endpoint import EndpointParts
from vedette.api.defender.weakness_entities import configuration_record, software_record, vulnerability_record
from vedette.api.downloads import Download
from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.render import json_answer
from vedette.clock import format_ticks, now_ticks
from vedette.context import RequestContext, Tenant
from vedette.errors import InvalidRequestError
from vedette.machines.inventory import Machine, Machines
from vedette.machines.tables import MACHINES
from vedette.machines.telemetry import Row
from vedette.machines.weaknesses import Weaknesses
from vedette.odata.options import decode_query, parse_options
from vedette.odata.paging import decode_token, encode_token

DEFAULT_PAGE = 50_000
MAX_PAGE = 200_000
LINK_HOURS = 3
MAX_LINK_HOURS = 24
KIND = "export"

_OFFERED = frozenset({"$top", "$skiptoken"})
_ENCODER = msgspec.json.Encoder()


class Family(msgspec.Struct, frozen=True):
    """One family: where its rows come from and what they look like."""

    set_name: str
    rows: Callable[[Weaknesses, str | None, int], list[Row]]
    record: Callable[[Row, Machine | None], dict[str, object]]


FAMILIES: Mapping[str, Family] = {
    "vulnerabilities": Family("AssetVulnerability", Weaknesses.vulnerability_records, vulnerability_record),
    "software": Family("AssetSoftware", Weaknesses.software_records, software_record),
    "configurations": Family("AssetConfiguration", Weaknesses.configuration_records, configuration_record),
}


class DefenderExports:
    """Handlers."""

    def __init__(self, parts: EndpointParts) -> None:
        self._parts = parts

    def page(self, family: str) -> Callable[[RequestContext, ApiRequest], ApiResponse]:
        """GET /api/machines/…ByMachine of a family."""

        def answer(context: RequestContext, request: ApiRequest) -> ApiResponse:
            pairs = decode_query(request.query)
            options = parse_options(pairs, _OFFERED)
            size = options.top or _page_size(pairs)
            if size > MAX_PAGE:
                raise InvalidRequestError("TopExceeded", limit=MAX_PAGE, value=size)
            after = _behind(options.skip_token)
            rows = self._rows(context.tenant, family, after, size + 1)
            link = None
            if len(rows) > size and options.top is None:
                link = _next_link(request, size, str(rows[size - 1]["Id"]))
            with self._parts.store.connect() as connection:
                machines = Machines(connection, context.tenant.tenant_id, now_ticks(self._parts.clock))
                records = _records(machines, family, rows[:size])
            name = f"Collection(microsoft.windowsDefenderATP.api.{FAMILIES[family].set_name})"
            return collection(request, name, records, next_link=link)

        return answer

    def files(self, family: str) -> Callable[[RequestContext, ApiRequest], ApiResponse]:
        """GET /api/machines/…Export of a family. A file is made when it is fetched."""

        def answer(context: RequestContext, request: ApiRequest) -> ApiResponse:
            pairs = {name.lower(): value for name, value in decode_query(request.query).items()}
            parse_options(pairs, frozenset())
            hours = _whole(pairs.get("sasvalidhours", str(LINK_HOURS)), "sasValidHours", MAX_LINK_HOURS)
            tenant = context.tenant
            link = self._parts.links.make(
                request.base_url, tenant.tenant_id, KIND, family, tenant.domain, seconds=hours * 3600
            )
            return json_answer(
                {
                    "@odata.context": odata_context(request, "microsoft.windowsDefenderATP.api.ExportFilesResponse"),
                    "exportFiles": [link],
                    "generatedTime": format_ticks(now_ticks(self._parts.clock)),
                }
            )

        return answer

    def file(self, download: Download) -> ApiResponse:
        """The file behind a link: gzip, a record a line."""
        family, domain = download.key
        tenant = Tenant(download.tenant_id, domain, domain)
        lines: list[bytes] = []
        after: str | None = None
        while rows := self._rows(tenant, family, after, DEFAULT_PAGE):
            with self._parts.store.connect() as connection:
                machines = Machines(connection, download.tenant_id, now_ticks(self._parts.clock))
                lines += map(_ENCODER.encode, _records(machines, family, rows))
            after = str(rows[-1]["Id"])
        content = gzip.compress(b"".join(line + b"\n" for line in lines), 6, mtime=0)
        disposition = f'attachment; filename="{family}.json.gz"'
        return ApiResponse(200, content, "application/gzip", {"content-disposition": disposition})

    def _rows(self, tenant: Tenant, family: str, after: str | None, limit: int) -> list[Row]:
        return FAMILIES[family].rows(Weaknesses(self._parts.telemetry, tenant), after, limit)


def _records(machines: Machines, family: str, rows: Sequence[Row]) -> list[dict[str, object]]:
    by_id = {each.machine_id: each for each in machines.of_ids(str(row["DeviceId"]) for row in rows)}
    record = FAMILIES[family].record
    return [record(row, by_id.get(str(row["DeviceId"]).lower())) for row in rows]


def _page_size(pairs: Mapping[str, str]) -> int:
    text = next((value for name, value in pairs.items() if name.lower() == "pagesize"), str(DEFAULT_PAGE))
    return _whole(text, "pageSize", MAX_PAGE)


def _whole(text: str, parameter: str, limit: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= limit):
        raise InvalidRequestError("InvalidParameter", parameter=parameter)
    return int(text)


def _behind(token: str | None) -> str | None:
    if token is None:
        return None
    return str(decode_token(token, ((MACHINES.c.machine_id, False),))[0])


def _next_link(request: ApiRequest, size: int, last: str) -> str:
    return f"{request.base_url}{request.path}?pageSize={size}&$skiptoken={encode_token((last,))}"
