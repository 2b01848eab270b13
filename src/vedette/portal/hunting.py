"""Hunting: run a query, see every one of its results, save it as a function of the tenant."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import msgspec

from vedette.api.http import ApiResponse
from vedette.clock import now_ticks
from vedette.context import RequestContext
from vedette.contracts.faults import load_faults
from vedette.errors import ApiError
from vedette.hunting.results import Results
from vedette.hunting.service import Parameters
from vedette.hunting.stored_functions import StoredFunction, StoredFunctions
from vedette.identity.services import IdentityServices
from vedette.kql.catalog import Catalog
from vedette.kql.errors import Diagnostic, KqlError
from vedette.portal.caller import caller_of
from vedette.portal.charts import Chart, chart_of
from vedette.portal.rendering import see
from vedette.portal.visit import Page, Visit

SECTION = "hunting"
RUN, SAVE = "view_data", "manage_security_settings"
"""Rights that show the section, and that change the tenant's functions."""

SHOWN_ROWS = 1_000
"""Rows of one result on a page; the APIs answer them all."""

FIELDS = ("query", "timespan", "values", "name", "parameters", "description")


class Hunting(Protocol):
    """`hunting.service`, as far as the page needs it."""

    def run_all(
        self, ctx: RequestContext, query: str, timespan: str | None = None, parameters: Parameters | None = None
    ) -> tuple[Results, ...]:
        """Every result of a query."""
        ...


class HuntingParts(NamedTuple):
    """What the pages work with. `common` is the catalog that all tenants share."""

    service: Hunting
    common: Callable[[], Catalog]


class ShownResult(NamedTuple):
    """One result as the page has it."""

    name: str
    columns: tuple[str, ...]
    rows: list[tuple[object, ...]]
    total: int
    chart: Chart | None


class HuntingPages:
    """Handlers of the section."""

    def __init__(self, services: IdentityServices, parts: HuntingParts) -> None:
        self._services = services
        self._parts = parts

    def pages(self) -> Mapping[str, Page]:
        """Pages by operation handler name."""
        return {
            "hunting": self.show,
            "hunt": self.hunt,
            "show_function": self.show_function,
            "delete_function": self.delete_function,
        }

    def show(self, visit: Visit) -> ApiResponse:
        """The form, and the tenant's functions."""
        return self._page(visit)

    def hunt(self, visit: Visit) -> ApiResponse:
        """Run the query, or save it as a function."""
        try:
            if visit.field("action") == "save":
                return self._save(visit)
            return self._page(visit, results=self._results(visit))
        except KqlError as error:
            return self._page(visit, status=400, diagnostics=error.diagnostics)
        except ApiError as error:
            return self._page(visit, status=400, problem=_sentence(error))

    def show_function(self, visit: Visit) -> ApiResponse:
        """One function, with its query in the form."""
        with self._services.store.connect() as connection:
            function = StoredFunctions(connection, visit.tenant_id).get(_name(visit))
        return self._page(visit, values=msgspec.structs.asdict(function), function=function)

    def delete_function(self, visit: Visit) -> ApiResponse:
        """Delete a function."""
        if not visit.session.may(SAVE):
            return visit.show("message", "Not allowed", status=403, text="Your roles do not allow this.")
        with self._services.store.begin() as connection:
            StoredFunctions(connection, visit.tenant_id).remove(_name(visit))
        return see("/portal/hunting")

    def _save(self, visit: Visit) -> ApiResponse:
        if not visit.session.may(SAVE):
            return visit.show("message", "Not allowed", status=403, text="Your roles do not allow this.")
        function = StoredFunction(
            name=visit.field("name"),
            parameters=visit.field("parameters"),
            query=visit.field("query"),
            description=visit.field("description"),
            last_modified=now_ticks(self._services.clock),
            last_modified_by=visit.session.user.user_principal_name,
        )
        with self._services.store.begin() as connection:
            StoredFunctions(connection, visit.tenant_id).create(function, self._parts.common())
        return see(f"/portal/hunting/functions/{function.name}")

    def _results(self, visit: Visit) -> list[ShownResult]:
        found = self._parts.service.run_all(
            caller_of(self._services, visit, RUN),
            visit.field("query"),
            visit.field("timespan") or None,
            _values(visit.field("values")),
        )
        return [_shown(each) for each in found]

    def _page(
        self,
        visit: Visit,
        *,
        status: int = 200,
        problem: str = "",
        values: Mapping[str, object] | None = None,
        diagnostics: tuple[Diagnostic, ...] = (),
        results: list[ShownResult] | None = None,
        function: StoredFunction | None = None,
    ) -> ApiResponse:
        with self._services.store.connect() as connection:
            functions = StoredFunctions(connection, visit.tenant_id).all()
        given = values or {}
        return visit.show(
            "hunting",
            "Hunting",
            status=status,
            section=SECTION,
            problem=problem,
            values={name: given.get(name) or visit.field(name) for name in FIELDS},
            diagnostics=diagnostics,
            results=results,
            function=function,
            functions=functions,
            shown_rows=SHOWN_ROWS,
            may_save=visit.session.may(SAVE),
        )


def _name(visit: Visit) -> str:
    """The function that the address names; names of functions have capital letters."""
    return visit.request.path_parameters["function"]


def _values(text: str) -> dict[str, str]:
    """`name=value`, one a line. A line without an equals sign is no value."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _shown(results: Results) -> ShownResult:
    columns = tuple(each.name for each in results.columns)
    cut = msgspec.structs.replace(results, data=results.data.slice(0, SHOWN_ROWS))
    rows = list(zip(*cut.values("text"), strict=True))
    return ShownResult(results.name or "", columns, rows, results.data.num_rows, chart_of(results))


def _sentence(error: ApiError) -> str:
    fault = load_faults("shared").get(error.code)
    return fault.message.format_map(error.fields) if fault and fault.message else error.code
