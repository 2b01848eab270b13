"""Handler of AlertCreated: the evidence of a new alert shows the device groups that its machines are in."""

from vedette.clock import Clock, now_ticks
from vedette.incidents.alert_devices import AlertDevices
from vedette.jobs.queue import Job
from vedette.machines.inventory import Machines
from vedette.store.engine import Store

JOB = "show_alert_groups"


class AlertGroups:
    """Later changes of groups are told by whoever makes them (`machines.device_groups`)."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def show(self, job: Job) -> None:
        """Handle one alert. A repeated job changes nothing."""
        with self._store.begin() as connection:
            devices = AlertDevices(connection, job.tenant_id)
            machines = Machines(connection, job.tenant_id, now_ticks(self._clock))
            for machine in machines.of_ids(devices.of(str(job.payload["alert_id"]))):
                devices.regroup(machine.machine_id, machine.rbac_group_id, machine.rbac_group_name)
