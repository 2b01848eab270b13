"""Writes alerts as rows of the hunting tables AlertInfo and AlertEvidence, so that queries can join them."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from vedette.contracts.tables import load_tables
from vedette.incidents.alerts import Alerts
from vedette.incidents.hunting_rows import HuntingRow, alert_rows
from vedette.jobs.queue import Job
from vedette.lake.engine import Lake
from vedette.store.engine import Store

JOB = "write_alert_rows"

_ARROW = {"string": pa.string(), "int": pa.int32(), "long": pa.int64(), "datetime": pa.int64()}


class AlertTables:
    """Handler of the job that follows each new alert. The batch id is the alert's: repeating it changes nothing."""

    def __init__(self, store: Store, lake: Lake) -> None:
        self._store = store
        self._lake = lake

    def write(self, job: Job) -> None:
        """Append the rows of one alert."""
        alert_id = str(job.payload["alert_id"])
        with self._store.connect() as connection:
            alert = Alerts(connection, job.tenant_id).get(alert_id)
        if alert is None:
            return  # the tenant was reset meanwhile
        tables = {name: _to_table(name, rows) for name, rows in alert_rows(alert).items() if rows}
        self._lake.append(job.tenant_id, f"alert/{alert_id}", tables, b"{}")


def _to_table(name: str, rows: Sequence[HuntingRow]) -> pa.Table:
    types: Mapping[str, pa.DataType] = {column.name: _ARROW[column.type] for column in load_tables()[name].columns}
    used = {column: types[column] for row in rows for column in row}
    return pa.table({column: pa.array([row.get(column) for row in rows], type_) for column, type_ in used.items()})
