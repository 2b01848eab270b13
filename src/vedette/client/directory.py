"""Management of a directory over Graph: applications, permissions, consent, credentials, people."""

import base64
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from vedette.client.credentials import TokenSource
from vedette.client.errors import ClientError, ResponseError
from vedette.client.transport import Transport, checked
from vedette.ids import is_guid

GRAPH = "https://graph.microsoft.com"
ROOT = "/v1.0"

Entity = Mapping[str, Any]
PermissionKind = Literal["application", "delegated"]


class NotUniqueError(ClientError):
    """A name fits no object, or several."""


class Directory:
    """One tenant's directory, as the signed-in application may see and change it."""

    def __init__(self, transport: Transport, tokens: TokenSource) -> None:
        self._transport = transport
        self._tokens = tokens

    def applications(self) -> list[Entity]:
        """All registrations."""
        return list(self._list("/applications?$orderby=displayName"))

    def application(self, key: str) -> Entity:
        """The registration of a client id, object id or unique name. Raises NotUniqueError or ResponseError."""
        if is_guid(key):
            try:
                return self._get(f"/applications(appId='{key}')")
            except ResponseError as error:
                if error.status != 404:
                    raise
            return self._get(f"/applications/{key}")
        return _only(key, self._list(f"/applications?$filter={quote(f'displayName eq {_text(key)}')}"))

    def create_application(self, body: Entity) -> Entity:
        """Register an application, with its service principal."""
        created = self._send("POST", "/applications", body)
        self._send("POST", "/servicePrincipals", {"appId": created["appId"]})
        return created

    def delete_application(self, key: str) -> None:
        """Delete a registration."""
        self._send("DELETE", f"/applications/{self.application(key)['id']}")

    def add_permissions(self, key: str, api: str, names: Iterable[str], kind: PermissionKind) -> list[str]:
        """Configure permissions by name; the names that were new. They have no effect before consent."""
        application, resource = self.application(key), self.service_principal(api)
        ids, type_ = _permissions(resource, kind), "Role" if kind == "application" else "Scope"
        required = {
            entry["resourceAppId"]: list(entry["resourceAccess"]) for entry in application["requiredResourceAccess"]
        }
        accesses = required.setdefault(resource["appId"], [])
        added = []
        for name in names:
            if name not in ids:
                raise NotUniqueError(f"{resource['displayName']} has no {kind} permission {name}.")
            access = {"id": ids[name], "type": type_}
            if access not in accesses:
                accesses.append(access)
                added.append(name)
        body = [{"resourceAppId": app_id, "resourceAccess": items} for app_id, items in required.items()]
        self._send("PATCH", f"/applications/{application['id']}", {"requiredResourceAccess": body})
        return added

    def consent(self, key: str) -> list[tuple[str, str, str]]:
        """Grant what is configured, for the whole tenant; API, kind and name of each permission that was new."""
        application = self.application(key)
        client = self._ensure_principal(application["appId"])
        granted: list[tuple[str, str, str]] = []
        for entry in application["requiredResourceAccess"]:
            resource = self.service_principal(entry["resourceAppId"])
            roles = [access["id"] for access in entry["resourceAccess"] if access["type"] == "Role"]
            scopes = [access["id"] for access in entry["resourceAccess"] if access["type"] == "Scope"]
            granted += self._grant_roles(client, resource, roles)
            granted += self._grant_scopes(client, resource, scopes)
        return granted

    def add_secret(self, key: str, name: str, end: str | None) -> Entity:
        """A new client secret; its value is in the answer and nowhere else."""
        credential = {"displayName": name, **({"endDateTime": end} if end else {})}
        target = f"/applications/{self.application(key)['id']}/addPassword"
        return self._send("POST", target, {"passwordCredential": credential})

    def add_certificate(self, key: str, pem: bytes, name: str) -> None:
        """A certificate beside those that are there."""
        application = self.application(key)
        new = {
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
            "displayName": name,
            "key": base64.b64encode(pem).decode(),
        }
        kept = [{"keyId": credential["keyId"]} for credential in application["keyCredentials"]]
        self._send("PATCH", f"/applications/{application['id']}", {"keyCredentials": [*kept, new]})

    def add_redirect_uri(self, key: str, platform: str, uri: str) -> None:
        """Register one more redirect URI of a platform (`web`, `spa`, `publicClient`)."""
        application = self.application(key)
        uris = application[platform]["redirectUris"]
        if uri not in uris:
            self._send("PATCH", f"/applications/{application['id']}", {platform: {"redirectUris": [*uris, uri]}})

    def set_audience(self, key: str, audience: str) -> None:
        """Say which tenants may consent to an application."""
        self._send("PATCH", f"/applications/{self.application(key)['id']}", {"signInAudience": audience})

    def set_enabled(self, key: str, *, enabled: bool) -> None:
        """Allow or forbid an application in the tenant."""
        principal = self.service_principal(key)
        self._send("PATCH", f"/servicePrincipals/{principal['id']}", {"accountEnabled": enabled})

    def service_principal(self, key: str) -> Entity:
        """The service principal of an application id or display name. Raises NotUniqueError or ResponseError."""
        if is_guid(key):
            return self._get(f"/servicePrincipals(appId='{key}')")
        return _only(key, self._list(f"/servicePrincipals?$filter={quote(f'displayName eq {_text(key)}')}"))

    def users(self) -> list[Entity]:
        """Everybody."""
        return list(self._list("/users?$select=id,userPrincipalName,displayName,accountEnabled"))

    def user(self, key: str) -> Entity:
        """One account, with its directory roles and groups."""
        members = "id,userPrincipalName,displayName,accountEnabled,createdDateTime"
        user = self._get(f"/users/{quote(key)}?$select={members}")
        roles = [each["displayName"] for each in self._list(f"/users/{user['id']}/memberOf")]
        return {**{name: value for name, value in user.items() if name[0] != "@"}, "memberOf": roles}

    def create_user(
        self, name: str, display_name: str, password: str, roles: Iterable[str], must_change: bool
    ) -> Entity:
        """An account with directory roles by name."""
        known = {role["displayName"]: role["roleTemplateId"] for role in self._list("/directoryRoles")}
        wanted = list(roles)
        for role in wanted:
            if role not in known:
                raise NotUniqueError(f"There is no directory role {role}.")
        body = {
            "accountEnabled": True,
            "displayName": display_name,
            "mailNickname": name.partition("@")[0],
            "userPrincipalName": name,
            "passwordProfile": {"password": password, "forceChangePasswordNextSignIn": must_change},
        }
        user = self._send("POST", "/users", body)
        for role in wanted:
            assignment = {"principalId": user["id"], "roleDefinitionId": known[role], "directoryScopeId": "/"}
            self._send("POST", "/roleManagement/directory/roleAssignments", assignment)
        return user

    def reset_password(self, key: str, password: str, must_change: bool) -> None:
        """Replace a person's password; their sessions and tokens end."""
        profile = {"password": password, "forceChangePasswordNextSignIn": must_change}
        self._send("PATCH", f"/users/{quote(key)}", {"passwordProfile": profile})

    def set_user_enabled(self, key: str, *, enabled: bool) -> None:
        """Let a person sign in, or not."""
        self._send("PATCH", f"/users/{quote(key)}", {"accountEnabled": enabled})

    def delete_user(self, key: str) -> None:
        """Delete an account."""
        self._send("DELETE", f"/users/{quote(key)}")

    def organization(self) -> Entity:
        """The tenant itself."""
        return next(iter(self._list("/organization")))

    def _ensure_principal(self, app_id: str) -> Entity:
        try:
            return self.service_principal(app_id)
        except ResponseError as error:
            if error.status != 404:
                raise
        return self._send("POST", "/servicePrincipals", {"appId": app_id})

    def _grant_roles(self, client: Entity, resource: Entity, ids: list[str]) -> list[tuple[str, str, str]]:
        existing = self._list(f"/servicePrincipals/{client['id']}/appRoleAssignments")
        held = {assignment["appRoleId"] for assignment in existing if assignment["resourceId"] == resource["id"]}
        names = {value: name for name, value in _permissions(resource, "application").items()}
        for role_id in ids:
            if role_id not in held:
                body = {"principalId": client["id"], "resourceId": resource["id"], "appRoleId": role_id}
                self._send("POST", f"/servicePrincipals/{resource['id']}/appRoleAssignedTo", body)
        return [(resource["displayName"], "application", names.get(each, each)) for each in ids if each not in held]

    def _grant_scopes(self, client: Entity, resource: Entity, ids: list[str]) -> list[tuple[str, str, str]]:
        if not ids:
            return []
        names = {value: name for name, value in _permissions(resource, "delegated").items()}
        wanted = [names.get(each, each) for each in ids]
        condition = (
            f"clientId eq '{client['id']}' and resourceId eq '{resource['id']}' and consentType eq 'AllPrincipals'"
        )
        existing = list(self._list(f"/oauth2PermissionGrants?$filter={quote(condition)}"))
        held = existing[0]["scope"].split() if existing else []
        scope = " ".join(dict.fromkeys([*held, *wanted]))
        if existing:
            self._send("PATCH", f"/oauth2PermissionGrants/{existing[0]['id']}", {"scope": scope})
        else:
            body = {
                "clientId": client["id"],
                "consentType": "AllPrincipals",
                "resourceId": resource["id"],
                "scope": scope,
            }
            self._send("POST", "/oauth2PermissionGrants", body)
        return [(resource["displayName"], "delegated", name) for name in wanted if name not in held]

    def _list(self, path: str) -> Iterator[Entity]:
        """Every element of every page."""
        target: str | None = ROOT + path
        while target is not None:
            page = self._request("GET", target)
            yield from page["value"]
            link = page.get("@odata.nextLink")
            parts = urlsplit(link) if link else None
            target = f"{parts.path}?{parts.query}" if parts is not None else None

    def _get(self, path: str) -> Entity:
        return self._request("GET", ROOT + path)

    def _send(self, method: str, path: str, body: object = None) -> Entity:
        return self._request(method, ROOT + path, body)

    def _request(self, method: str, target: str, body: object = None) -> Entity:
        reply = checked(self._transport.send(method, target, headers=self._tokens.headers(GRAPH), json=body))
        return reply.json() or {}


def _permissions(resource: Entity, kind: PermissionKind) -> dict[str, str]:
    """Ids of a resource's permissions by name."""
    if kind == "application":
        return {
            role["value"]: role["id"] for role in resource["appRoles"] if "Application" in role["allowedMemberTypes"]
        }
    return {scope["value"]: scope["id"] for scope in resource["oauth2PermissionScopes"]}


def _only(key: str, found: Iterable[Entity]) -> Entity:
    entities = list(found)
    if len(entities) != 1:
        raise NotUniqueError(f"{'Nothing' if not entities else 'More than one object'} is named {key}; use its id.")
    return entities[0]


def _text(value: str) -> str:
    """An OData string."""
    return "'" + value.replace("'", "''") + "'"
