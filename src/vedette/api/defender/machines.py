"""The machines operations: list, find, get, change, tags, device value, users."""

from collections.abc import Sequence
from ipaddress import ip_address

import msgspec

from vedette.api.bodies import read_object
from vedette.api.changes import Text, enum_value
from vedette.api.defender.answers import collection, count_answer, entity, found, page_answer, required, without_options
from vedette.api.defender.endpoint import EndpointParts
from vedette.api.defender.machine_entities import account_of_user, to_machine, to_user
from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.listing import ListRules
from vedette.clock import TICKS_PER_SECOND, now_ticks
from vedette.context import RequestContext
from vedette.contracts.enums import load_enums
from vedette.errors import InvalidRequestError, NotFoundError
from vedette.machines.inventory import Machine, MachineChange, Machines
from vedette.machines.tables import MACHINE_TAGS, MACHINES
from vedette.odata.dates import parse_ticks
from vedette.odata.sql import CollectionProperty, Property, PropertyMap

MAX_PAGE = 10_000
MAX_TAGGED = 500
IP_WINDOW = 15 * 60 * TICKS_PER_SECOND
OLD_IP_WINDOW = 16 * 60 * TICKS_PER_SECOND
IP_LOOKBACK = 30 * 86_400 * TICKS_PER_SECOND

OFFERED = frozenset({"$filter", "$top", "$skip", "$count", "$orderby", "$select", "$skiptoken"})


class MachineUpdate(msgspec.Struct, frozen=True, rename="camel"):
    """Body of PATCH."""

    machine_tags: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    device_value: Text = msgspec.UNSET


class TagRequest(msgspec.Struct, frozen=True, rename="pascal"):
    """Body of the tag operations."""

    value: str
    action: str
    machine_ids: tuple[str, ...] | None = None


class DeviceValueRequest(msgspec.Struct, frozen=True, rename="pascal"):
    """Body of setDeviceValue."""

    device_value: str


def machine_properties(machines: Machines) -> PropertyMap:
    """What may be filtered by. Health and risk are computed as of now."""
    field, enums = machines.fields, load_enums()
    return {
        "id": Property(field["machine_id"], "string"),
        "computerDnsName": Property(field["dns_name"], "string"),
        "version": Property(field["os_version"], "string"),
        "osPlatform": Property(field["os_platform"], "string"),
        "firstSeen": Property(field["first_seen"], "datetime"),
        "lastSeen": Property(field["last_seen"], "datetime"),
        "lastIpAddress": Property(field["last_ip_address"], "string"),
        "lastExternalIpAddress": Property(field["last_external_ip_address"], "string"),
        "aadDeviceId": Property(field["aad_device_id"], "string"),
        "rbacGroupId": Property(field["rbac_group_id"], "integer"),
        "rbacGroupName": Property(field["rbac_group_name"], "string"),
        "deviceValue": Property(field["device_value"], "enum", enums["machineDeviceValue"].spellings),
        "exposureLevel": Property(field["exposure_level"], "enum", enums["machineExposureLevel"].spellings),
        "onboardingStatus": Property(field["onboarding_status"], "enum", enums["machineOnboardingStatus"].spellings),
        "healthStatus": Property(field["health_status"], "enum", enums["machineHealthStatus"].spellings),
        "riskScore": Property(field["risk_score"], "enum", enums["machineRiskScore"].spellings),
        "machineTags": CollectionProperty(
            MACHINE_TAGS,
            (MACHINE_TAGS.c.tenant_id == MACHINES.c.tenant_id) & (MACHINE_TAGS.c.machine_id == MACHINES.c.machine_id),
            Property(MACHINE_TAGS.c.tag, "string"),
        ),
    }


def machine_rules(machines: Machines) -> ListRules:
    """How any list of machines may be asked for."""
    return ListRules(
        offered=OFFERED,
        properties=machine_properties(machines),
        default_order=((MACHINES.c.machine_id, False),),
        default_page=MAX_PAGE,
        max_page=MAX_PAGE,
        over_max="refuse",
    )


class DefenderMachines:
    """Handlers."""

    def __init__(self, parts: EndpointParts) -> None:
        self._parts = parts

    def list(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/machines. A tenant without machines is answered 404, as documented."""
        with self._parts.store.connect() as connection:
            machines = Machines(connection, context.tenant.tenant_id, now_ticks(self._parts.clock), context.scope)
            query, cursor = self._parts.lists.read(context, request, machine_rules(machines))
            if machines.count() == 0:
                raise NotFoundError(resource="machines")
            page = self._parts.lists.page(context, request, (query, cursor), machines)
        return page_answer(request, "Machines", query, page, to_machine)

    def count(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/machines/$count."""
        with self._parts.store.connect() as connection:
            machines = Machines(connection, context.tenant.tenant_id, now_ticks(self._parts.clock), context.scope)
            query, _ = self._parts.lists.read(context, request, machine_rules(machines))
            return count_answer(machines.count(query.selection.condition))

    def get(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/machines/{id}: by machine id or computer name."""
        without_options(request)
        return entity(request, "Machines", to_machine(self._machine(context, request)))

    def users(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/machines/{id}/logonusers."""
        without_options(request)
        machine_id = self._machine(context, request).machine_id
        with self._parts.store.connect() as connection:
            machines = Machines(connection, context.tenant.tenant_id, now_ticks(self._parts.clock), context.scope)
            users = machines.users(machine_id)
            logons = machines.logons(map(account_of_user, users))
        return collection(request, "Users", (to_user(user, logons) for user in users))

    def update(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """PATCH /api/machines/{id}. The tags of the body take the place of all that were."""
        update = read_object(request.body, MachineUpdate)
        change = MachineChange(
            tags=update.machine_tags
            if isinstance(update.machine_tags, msgspec.UnsetType)
            else tuple(_tag(tag) for tag in update.machine_tags),
            device_value=enum_value("machineDeviceValue", "deviceValue", update.device_value),
        )
        return self._change(context, request, change)

    def set_device_value(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /api/machines/{id}/setDeviceValue."""
        body = read_object(request.body, DeviceValueRequest)
        value = enum_value("machineDeviceValue", "DeviceValue", body.device_value)
        return self._change(context, request, MachineChange(device_value=value))

    def tag(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /api/machines/{id}/tags."""
        body = read_object(request.body, TagRequest)
        tag, add = _tag(body.value), _is_add(body.action)
        machine_id = self._machine(context, request).machine_id
        with self._parts.store.begin() as connection:
            machines = Machines(connection, context.tenant.tenant_id, now_ticks(self._parts.clock), context.scope)
            machine = machines.tag(machine_id, tag, add=add)
        return entity(request, "Machines", to_machine(found(machine, "Machine", machine_id)))

    def tag_many(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /api/machines/AddOrRemoveTagForMultipleMachines: all of them or none."""
        body = read_object(request.body, TagRequest)
        tag, add, machine_ids = _tag(body.value), _is_add(body.action), body.machine_ids
        if not machine_ids:
            raise InvalidRequestError("MissingParameter", parameter="MachineIds")
        if len(machine_ids) > MAX_TAGGED:
            raise InvalidRequestError("MaximumBatchSizeExceeded", received=len(machine_ids), limit=MAX_TAGGED)
        with self._parts.store.begin() as connection:
            machines = Machines(connection, context.tenant.tenant_id, now_ticks(self._parts.clock), context.scope)
            tagged = [
                found(machines.tag(each.lower(), tag, add=add), "Machine", each) for each in dict.fromkeys(machine_ids)
            ]
        return collection(request, "Machines", map(to_machine, tagged))

    def find_by_tag(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/machines/findbytag?tag=…&useStartsWithFilter=…"""
        pairs = {name.lower(): value for name, value in without_options(request).items()}
        tag = required(pairs.get("tag", ""), "tag")
        prefix = pairs.get("usestartswithfilter", "false").lower()
        if prefix not in ("true", "false"):
            raise InvalidRequestError("InvalidParameter", parameter="useStartsWithFilter")
        with self._parts.store.connect() as connection:
            machines = Machines(connection, context.tenant.tenant_id, now_ticks(self._parts.clock), context.scope)
            return collection(request, "Machines", map(to_machine, machines.by_tag(tag, prefix=prefix == "true")))

    def find_by_ip(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/machines/findbyip(ip='…',timestamp=…): seen with it a quarter of an hour before or after."""
        machines = self._with_address(context, request, request.path_parameters["ip"], IP_WINDOW)
        return collection(request, "Machines", map(to_machine, machines))

    def find_by_key(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/machines/find(timestamp=…,key='…'): the older findbyip, which answers 404 for none."""
        address = request.path_parameters["key"].strip("'")
        machines = self._with_address(context, request, address, OLD_IP_WINDOW)
        if not machines:
            raise NotFoundError(resource=f"Machine {address}")
        return collection(request, "Machines", map(to_machine, machines))

    def _with_address(self, context: RequestContext, request: ApiRequest, text: str, window: int) -> Sequence[Machine]:
        without_options(request)
        try:
            address = str(ip_address(text))
        except ValueError as error:
            raise InvalidRequestError("InvalidIpAddress", value=text) from error
        at, now = parse_ticks(request.path_parameters["time"]), now_ticks(self._parts.clock)
        if at is None or not now - IP_LOOKBACK <= at <= now + window:
            raise InvalidRequestError("InvalidParameter", parameter="timestamp")
        with self._parts.store.connect() as connection:
            machines = Machines(connection, context.tenant.tenant_id, now, context.scope)
            return machines.by_ip(address, at - window, at + window)

    def _machine(self, context: RequestContext, request: ApiRequest) -> Machine:
        with self._parts.store.connect() as connection:
            return find_machine(
                Machines(connection, context.tenant.tenant_id, now_ticks(self._parts.clock), context.scope), request
            )

    def _change(self, context: RequestContext, request: ApiRequest, change: MachineChange) -> ApiResponse:
        machine_id = self._machine(context, request).machine_id
        with self._parts.store.begin() as connection:
            machines = Machines(connection, context.tenant.tenant_id, now_ticks(self._parts.clock), context.scope)
            machine = machines.change(machine_id, change)
        return entity(request, "Machines", to_machine(found(machine, "Machine", machine_id)))


def find_machine(machines: Machines, request: ApiRequest) -> Machine:
    """The machine that the path names, by id or name. Raises NotFoundError."""
    key = request.path_parameters["id"]
    return found(machines.find(key), "Machine", key)


def _tag(text: str) -> str:
    tag = required(text, "Value").strip()
    if len(tag) > 200:
        raise InvalidRequestError("InvalidBodyValue", property="Value")
    return tag


def _is_add(text: str) -> bool:
    if text.lower() not in ("add", "remove"):
        raise InvalidRequestError("InvalidBodyValue", property="Action")
    return text.lower() == "add"
