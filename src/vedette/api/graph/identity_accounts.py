"""Graph's identities: accounts known from IdentityInfo with what can be done to them, and settings of the sensors."""

import base64
import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

from vedette.api.bodies import read_members, read_object
from vedette.api.graph.feeds import FeedParts, document_rules, fields_of_type
from vedette.api.graph.surface import graph_answer, list_answer, metadata_url
from vedette.api.graph.users import changeable
from vedette.api.graph.values import complete
from vedette.api.http import ApiRequest, ApiResponse, AuthenticatedHandler
from vedette.api.kept_lists import Documents
from vedette.api.listing import select_members
from vedette.clock import now_ticks
from vedette.context import RequestContext, Tenant
from vedette.contracts.graph_types import SECURITY, load_graph_types
from vedette.errors import InvalidRequestError, NotFoundError
from vedette.feeds.resources import Resources
from vedette.identity.accounts import Accounts
from vedette.identity.directory.users import Users
from vedette.identity.services import IdentityServices
from vedette.ids import derived_guid
from vedette.machines.telemetry import Row, Telemetry, text_of, truth_of
from vedette.odata.options import decode_query, parse_options
from vedette.store.secrets import Sealer, Secret

TYPE = f"{SECURITY}.identityAccounts"
DIRECTORY_ACTIONS = ("disable", "enable", "forcePasswordReset", "revokeAllSessions", "requireUserToSignInAgain")
"""What can be done to an account of the tenant's own directory. Nothing reaches a directory on premises."""

CONFIGURATION = "identities/configuration"
"""Where settings are kept among feeds."""


class ActionBody(msgspec.Struct, frozen=True, rename="camel"):
    """What is to be done to which account of an identity."""

    account_id: str
    action: str
    identity_provider: str


class GraphIdentities:
    """Handlers."""

    def __init__(self, parts: FeedParts, telemetry: Telemetry, identity: IdentityServices, sealer: Sealer) -> None:
        self._parts = parts
        self._sealer = sealer
        self._telemetry = telemetry
        self._identity = identity
        self._fields = fields_of_type(TYPE)

    def handlers(self) -> Mapping[str, AuthenticatedHandler]:
        """Every operation by its name."""
        return {
            "list_identity_accounts": self.list,
            "get_identity_account": self.get,
            "invoke_identity_action": self.invoke,
            "get_sensor_activation": self._get_setting(
                "sensorCandidateActivationConfiguration", {"activationMode": "manual"}
            ),
            "set_sensor_activation": self._set_setting("sensorCandidateActivationConfiguration", "activationMode"),
            "update_sensor_activation": self._set_setting("sensorCandidateActivationConfiguration", "activationMode"),
            "update_auto_auditing": self._set_setting("autoAuditingConfiguration", "isAutomatic"),
            "get_auto_auditing": self._get_setting("autoAuditingConfiguration", {"isAutomatic": False}),
            "set_auto_auditing": self._set_setting("autoAuditingConfiguration", "isAutomatic"),
            "activate_sensor_candidates": self.activate,
            "get_sensor_access_key": self.access_key,
            "regenerate_sensor_access_key": self.new_access_key,
            "get_sensor_package": self.package,
        }

    def list(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /security/identities/identityAccounts."""
        asked = self._parts.lists.read(context, request, document_rules(self._fields))
        documents = Documents(self._accounts(context.tenant), self._fields)
        page = self._parts.lists.page(context, request, asked, documents)
        value = [select_members(each, asked[0].options.select) for each in page.rows]
        return list_answer(metadata_url(request, "security/identities/identityAccounts"), page, value)

    def get(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /security/identities/identityAccounts/{id}."""
        options = parse_options(decode_query(request.query), frozenset({"$select"}))
        members = select_members(self._account(context.tenant, request), options.select)
        context_url = metadata_url(request, "security/identities/identityAccounts/$entity")
        return graph_answer({"@odata.context": context_url, **members})

    def invoke(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST …/identityAccounts/{id}/invokeAction: takes effect at once."""
        body = read_object(request.body, ActionBody)
        identity = self._account(context.tenant, request)
        enums = load_graph_types().enums
        action = enums[f"{SECURITY}.action"].parse(body.action)
        provider = enums[f"{SECURITY}.identityProvider"].parse(body.identity_provider)
        known = [each for each in identity["accounts"] if each["identityProvider"] == provider]
        account = next((each for each in known if each["identifier"].lower() == body.account_id.lower()), None)
        if account is None:
            raise InvalidRequestError("InvalidBodyValue", property="accountId" if provider else "identityProvider")
        if action is None or action not in account["actions"]:
            raise InvalidRequestError("InvalidBodyValue", property="action")
        self._act(context, body.account_id, action)
        result = {
            "accountId": body.account_id,
            "action": action,
            "correlationId": context.request_id,
            "identityProvider": provider,
        }
        context_url = metadata_url(request, "microsoft.graph.security.invokeActionResult")
        return graph_answer({"@odata.context": context_url, **result})

    def activate(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST …/sensorCandidates/activate: candidates become sensors."""
        server_ids = read_members(request.body).get("serverIds")
        if not isinstance(server_ids, list) or not server_ids:
            raise InvalidRequestError("MissingParameter", parameter="serverIds")
        now = now_ticks(self._parts.clock)
        with self._parts.store.begin() as connection:
            resources = Resources(connection, context.tenant.tenant_id)
            for server_id in server_ids:
                candidate = resources.get("identities/sensorCandidates", str(server_id))
                if candidate is None:
                    raise NotFoundError(resource=str(server_id))
                sensor = _sensor_of(candidate.document, context.request_id)
                resources.put("identities/sensors", sensor, {}, context.principal.display_name, now)
                resources.remove("identities/sensorCandidates", candidate.resource_id)
        return ApiResponse(204)

    def access_key(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET …/sensors/getDeploymentAccessKey: made when it is first asked for."""
        with self._parts.store.begin() as connection:
            kept = Resources(connection, context.tenant.tenant_id).get(CONFIGURATION, "deploymentAccessKey")
        if kept is None:
            return self.new_access_key(context, request)
        sealed = base64.b64decode(str(kept.document["sealed"]))
        return _key_answer(request, self._sealer.open(sealed, _seal_context(context.tenant)))

    def new_access_key(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST …/sensors/regenerateDeploymentAccessKey: the one before is good no more."""
        key = Secret(secrets.token_urlsafe(64).encode())
        sealed = self._sealer.seal(key, _seal_context(context.tenant))
        document = {"id": "deploymentAccessKey", "sealed": base64.b64encode(sealed).decode()}
        with self._parts.store.begin() as connection:
            resources = Resources(connection, context.tenant.tenant_id)
            resources.put(CONFIGURATION, document, {}, context.principal.display_name, now_ticks(self._parts.clock))
        return _key_answer(request, key)

    def package(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET …/sensors/getDeploymentPackageUri: where a feed said that it lies."""
        with self._parts.store.connect() as connection:
            kept = Resources(connection, context.tenant.tenant_id).get(CONFIGURATION, "deploymentPackage")
        if kept is None:
            raise NotFoundError(resource="sensorDeploymentPackage")
        members = complete(f"{SECURITY}.sensorDeploymentPackage", {k: v for k, v in kept.document.items() if k != "id"})
        context_url = metadata_url(request, "microsoft.graph.security.sensorDeploymentPackage")
        return graph_answer({"@odata.context": context_url, **members})

    def _get_setting(self, name: str, initial: Mapping[str, Any]) -> AuthenticatedHandler:
        def answer(context: RequestContext, request: ApiRequest) -> ApiResponse:
            with self._parts.store.connect() as connection:
                kept = Resources(connection, context.tenant.tenant_id).get(CONFIGURATION, name)
            members = complete(f"{SECURITY}.{name}", {**initial, "id": name} if kept is None else kept.document)
            return graph_answer({"@odata.context": metadata_url(request, f"security/identities/{name}"), **members})

        return answer

    def _set_setting(self, name: str, property_: str) -> AuthenticatedHandler:
        def answer(context: RequestContext, request: ApiRequest) -> ApiResponse:
            given = {key: value for key, value in read_members(request.body).items() if "@odata." not in key}
            if property_ not in given:
                raise InvalidRequestError("MissingParameter", parameter=property_)
            members = complete(f"{SECURITY}.{name}", {**given, "id": name})
            with self._parts.store.begin() as connection:
                resources = Resources(connection, context.tenant.tenant_id)
                resources.put(CONFIGURATION, members, {}, context.principal.display_name, now_ticks(self._parts.clock))
            return graph_answer({"@odata.context": metadata_url(request, f"security/identities/{name}"), **members})

        return answer

    def _act(self, context: RequestContext, user_id: str, action: str) -> None:
        tenant_id = context.tenant.tenant_id
        with self._parts.store.begin() as connection:
            user = changeable(connection, context, Users(connection, tenant_id).get(user_id))
            accounts = Accounts(connection, self._identity, tenant_id)
            if action in ("disable", "enable"):
                accounts.change(msgspec.structs.replace(user, account_enabled=action == "enable"))
            elif action == "forcePasswordReset":
                accounts.require_password_change(user)
            else:
                accounts.revoke_sessions(user)

    def _account(self, tenant: Tenant, request: ApiRequest) -> dict[str, Any]:
        wanted = request.path_parameters["id"].lower()
        found = next((each for each in self._accounts(tenant) if each["id"].lower() == wanted), None)
        if found is None:
            raise NotFoundError(resource=request.path_parameters["id"])
        return found

    def _accounts(self, tenant: Tenant) -> tuple[dict[str, Any], ...]:
        rows = self._telemetry.rows(
            tenant,
            "IdentityInfo | extend Key = tolower(case(isnotempty(AccountObjectId), AccountObjectId,"
            " isnotempty(OnPremSid), OnPremSid, strcat(AccountDomain, '\\\\', AccountName)))"
            " | where isnotempty(Key) and Key != '\\\\' | summarize arg_max(Timestamp, *) by Key | sort by Key asc",
        )
        with self._parts.store.connect() as connection:
            users = Users(connection, tenant.tenant_id)
            known = {key for row in rows if (key := text_of(row, "AccountObjectId")) and users.find(key) is not None}
        return tuple(_identity(tenant.tenant_id, row, known) for row in rows)


def _identity(tenant_id: str, row: Row, known: set[str]) -> dict[str, Any]:
    object_id, sid = text_of(row, "AccountObjectId"), text_of(row, "OnPremSid")
    accounts = []
    if object_id is not None:
        actions = list(DIRECTORY_ACTIONS) if object_id in known else []
        accounts.append({"identityProvider": "entraID", "identifier": object_id, "actions": actions})
    if sid is not None:
        accounts.append({"identityProvider": "activeDirectory", "identifier": sid, "actions": []})
    return {
        "@odata.type": f"#{TYPE}",
        **complete(
            TYPE,
            {
                "id": object_id or sid or derived_guid("identity", tenant_id, str(row["Key"])),
                "displayName": text_of(row, "AccountDisplayName") or text_of(row, "AccountName"),
                "domain": text_of(row, "AccountDomain"),
                "isEnabled": truth_of(row, "IsAccountEnabled") is not False,
                "cloudSecurityIdentifier": text_of(row, "CloudSid"),
                "onPremisesSecurityIdentifier": sid,
                "accounts": accounts,
            },
        ),
    }


def _sensor_of(candidate: Mapping[str, Any], request_id: str) -> dict[str, Any]:
    """A sensor that was just activated; nothing has been heard of it yet."""
    return {
        "@odata.type": f"#{SECURITY}.sensor",
        "id": candidate["id"],
        "displayName": candidate.get("computerDnsName", ""),
        "domainName": candidate.get("domainName", ""),
        "version": candidate.get("senseClientVersion", ""),
        "createdDateTime": candidate.get("lastSeenDateTime"),
        "deploymentStatus": "syncing",
        "healthStatus": "healthy",
        "sensorType": "domainControllerIntegrated",
        "serviceStatus": "starting",
        "settings": {"description": f"activated by {request_id}", "domainControllerDnsNames": []},
    }


def _seal_context(tenant: Tenant) -> str:
    return f"{tenant.tenant_id}/deploymentAccessKey"


def _key_answer(request: ApiRequest, key: Secret[bytes]) -> ApiResponse:
    context_url = metadata_url(request, "microsoft.graph.security.deploymentAccessKeyType")
    return graph_answer({"@odata.context": context_url, "deploymentAccessKey": key.reveal().decode()})
