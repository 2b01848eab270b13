"""Which news is worth a job: most commits are audit rows, most incidents change without anybody subscribed to them."""

from collections.abc import Mapping

from sqlalchemy import Connection

from vedette.clock import Clock, now_ticks
from vedette.indicators import enforcement
from vedette.indicators.indicators import Indicators, is_active
from vedette.jobs.outbox import Need
from vedette.jobs.queue import Payload
from vedette.machines import updates
from vedette.streaming.delivery import FAN_OUT
from vedette.streaming.subscriptions import has_subscriptions

DEVICE_TABLES = "Device"
"""How the names of tables begin that tell of machines, and that indicators are met in."""


def job_needs(clock: Clock) -> Mapping[str, Need]:
    """By kind of job, those that not all news of their topic is for."""

    def enforce(connection: Connection, tenant_id: str, payload: Payload) -> bool:
        if not _tells_of_devices(connection, tenant_id, payload):
            return False
        return Indicators(connection, tenant_id).count(is_active(now_ticks(clock))) > 0

    def fan_out(connection: Connection, tenant_id: str, _payload: Payload) -> bool:
        return has_subscriptions(connection, tenant_id)

    return {updates.JOB: _tells_of_devices, enforcement.JOB: enforce, FAN_OUT: fan_out}


def _tells_of_devices(_connection: Connection, _tenant_id: str, payload: Payload) -> bool:
    return any(name.startswith(DEVICE_TABLES) for name in payload["tables"])
