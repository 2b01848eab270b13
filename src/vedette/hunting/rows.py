"""Queries that the server asks for itself: rows by column name, in the engine's representation (ticks, JSON text)."""

from typing import Protocol

from vedette.context import EVERYTHING, DataScope, Principal, RequestContext, Tenant
from vedette.hunting.results import Results
from vedette.ids import Ids, derived_guid


class Runner(Protocol):
    """`hunting.service`, as far as it is needed here."""

    def run(self, ctx: RequestContext, query: str, timespan: str | None = None) -> Results:
        """The query's answer."""
        ...


class OwnQueries:
    """Runs queries inside one tenant that the server asks, over everything or over what a caller sees."""

    def __init__(self, service: Runner, ids: Ids, scope: DataScope = EVERYTHING) -> None:
        self._service = service
        self._ids = ids
        self._scope = scope

    def within(self, scope: DataScope) -> "OwnQueries":
        """The same over what somebody with that scope sees."""
        return OwnQueries(self._service, self._ids, scope)

    def rows(self, tenant: Tenant, query: str, timespan: str | None = None) -> list[dict[str, object]]:
        """The answer's rows. Raises what `HuntingService.run` raises."""
        results = self._service.run(self._context(tenant), query, timespan)
        names = [column.name for column in results.columns]
        columns = [column.to_pylist() for column in results.data.columns]
        return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]

    def _context(self, tenant: Tenant) -> RequestContext:
        request_id = self._ids.guid()
        principal = Principal(
            kind="application",
            tenant_id=tenant.tenant_id,
            object_id=derived_guid("server", tenant.tenant_id),
            app_id=derived_guid("server"),
            audience="vedette",
            roles=frozenset({"AdvancedHunting.Read.All"}),
            display_name="Vedette",
        )
        return RequestContext(tenant, principal, request_id, request_id, base_url="", scope=self._scope)
