"""Calls of the APIs become rows of GraphAPIAuditEvents."""

from typing import Any

import pyarrow as pa
from tests.api_fakes import APP, HOME, OTHER, Application, assemble

from vedette.contracts.tables import load_tables
from vedette.ids import RandomIds
from vedette.server.api_audit import TABLE, ApiAudit


class Lake:
    """Keeps what is appended."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, pa.Table]] = []

    def append(self, tenant_id: str, batch_id: str, rows: Any, summary: bytes) -> bytes | None:
        self.batches.append((tenant_id, rows[TABLE]))
        return None

    def flush(self, tenant_id: str) -> None:
        """Nothing waits here."""


def test_every_call_with_a_caller_is_a_row() -> None:
    application: Application = assemble()
    lake = Lake()
    audit = ApiAudit(lake, application.clock, RandomIds())  # type: ignore[arg-type]
    graph = application.client("graph")
    graph.get("/v1.0/security/incidents?$top=5", client_request_id="mine")
    graph.get("/v1.0/security/incidents/9")
    application.client("xdr").get("/api/incidents")
    application.client("graph-other").get("/beta/security/incidents")
    application.client().get("/v1.0/security/incidents")
    for record in application.records:
        audit.observe(record)
    audit.stop()
    application.close()
    rows = {tenant_id: table.to_pylist() for tenant_id, table in lake.batches}
    assert {tenant_id: len(table) for tenant_id, table in rows.items()} == {HOME: 3, OTHER: 1}
    first = rows[HOME][0]
    assert set(first) <= {column.name for column in load_tables()[TABLE].columns}
    assert first["RequestUri"] == "https://localhost/v1.0/security/incidents?$top=5"
    assert (first["ClientRequestId"], first["ResponseStatusCode"], first["ApiVersion"]) == ("mine", "200", "v1.0")
    assert "SecurityIncident.ReadWrite.All" in first["Scopes"]
    assert first["ResponseSize"] > 0
    assert rows[HOME][1]["ResponseStatusCode"] == "404"


def test_refused_calls_are_rows_of_whoever_made_them() -> None:
    application: Application = assemble(profile="microsoft")
    lake = Lake()
    audit = ApiAudit(lake, application.clock, RandomIds())  # type: ignore[arg-type]
    application.client("graph-late").get("/v1.0/security/incidents")  # its token's time is over
    application.client("xdr").get("/v1.0/security/incidents")  # its token is for something else
    application.client("nothing").get("/v1.0/security/incidents")
    application.client("expired").get("/v1.0/security/incidents")  # of nobody that is known
    for _ in range(51):
        application.client("xdr").get("/api/incidents")
    for record in application.records:
        audit.observe(record)
    audit.stop()
    application.close()
    rows = [row for _, table in lake.batches for row in table.to_pylist()]
    assert [row["ResponseStatusCode"] for row in rows] == ["401", "401", "403", *["200"] * 50, "429"]
    assert {row["ApplicationId"] for row in rows} == {APP}
    assert all(row["RequestId"] and row["ResponseSize"] for row in rows)
