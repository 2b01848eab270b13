"""The devices that alerts name: what decides who may see an alert, and whose group its evidence shows."""

from collections.abc import Iterable

import msgspec
from sqlalchemy import select

from vedette.incidents.changes import Changes
from vedette.incidents.evidence import DeviceEvidence, Evidence, decode_evidence, encode_evidence
from vedette.incidents.tables import ALERT_DEVICES, ALERT_EVIDENCE, ALERTS, INCIDENTS
from vedette.store.tenancy import TenantRepository


class AlertDevices(TenantRepository):
    """The devices of one tenant's alerts."""

    def add(self, alert_id: str, evidence: Iterable[Evidence]) -> None:
        """Note every device that the evidence of a new alert names."""
        for device_id in sorted(devices_of(evidence)):
            self.insert(ALERT_DEVICES, alert_id=alert_id, device_id=device_id)

    def of(self, alert_id: str) -> list[str]:
        """The devices of an alert."""
        statement = select(ALERT_DEVICES.c.device_id).where(
            self.own(ALERT_DEVICES), ALERT_DEVICES.c.alert_id == alert_id
        )
        return list(self.connection.scalars(statement))

    def regroup(self, device_id: str, group_id: int, group_name: str | None) -> None:
        """Show a device's present group in the evidence of all its alerts.

        It is no change of theirs, but those that now look different, and their incidents, get a new number.
        """
        table = ALERT_EVIDENCE
        alerts = select(ALERT_DEVICES.c.alert_id).where(self.own(ALERT_DEVICES), ALERT_DEVICES.c.device_id == device_id)
        statement = self.select(table).where(table.c.kind == "device", table.c.alert_id.in_(alerts))
        changed = set()
        for row in self.connection.execute(statement).all():
            entity = decode_evidence(row.entity)
            if isinstance(entity, DeviceEvidence) and entity.device_id.lower() == device_id:
                shown = msgspec.structs.replace(entity, rbac_group_id=group_id, rbac_group_name=group_name)
                if shown == entity:
                    continue
                same = self.update(table).where(table.c.alert_id == row.alert_id, table.c.position == row.position)
                self.connection.execute(same.values(entity=encode_evidence(shown)))
                changed.add(row.alert_id)
        if changed:
            incidents = select(ALERTS.c.incident_id).where(self.own(ALERTS), ALERTS.c.alert_id.in_(changed))
            number = Changes(self.connection, self.tenant_id).next_number()
            for of_device in (
                self.update(ALERTS).where(ALERTS.c.alert_id.in_(changed)),
                self.update(INCIDENTS).where(INCIDENTS.c.incident_id.in_(incidents)),
            ):
                self.connection.execute(of_device.values(change_number=number))


def devices_of(evidence: Iterable[Evidence]) -> frozenset[str]:
    """The ids of every device that evidence names, in lower case."""
    named = (getattr(entity, "device_id", None) for entity in evidence)
    return frozenset(device_id.lower()[:400] for device_id in named if device_id)
