"""What the operations of Defender for Endpoint work with, put together once by whoever composes the process."""

import msgspec

from vedette.api.cursors import CursorBox
from vedette.api.downloads import DownloadLinks
from vedette.api.kept_lists import KeptList, ListParts
from vedette.clock import Clock
from vedette.ids import Ids
from vedette.jobs.outbox import Outbox
from vedette.jobs.queue import JobQueue
from vedette.machines.execution import ActionRequests
from vedette.machines.investigations import InvestigationRequests
from vedette.machines.reported_alerts import ReportParts
from vedette.machines.telemetry import Telemetry
from vedette.store.engine import Store
from vedette.store.secrets import MasterKey


class EndpointParts(msgspec.Struct, frozen=True):
    """The parts."""

    store: Store
    clock: Clock
    ids: Ids
    outbox: Outbox
    telemetry: Telemetry
    links: DownloadLinks
    lists: KeptList
    actions: ActionRequests
    investigations: InvestigationRequests
    reports: ReportParts


def make_parts(
    store: Store,
    clock: Clock,
    ids: Ids,
    telemetry: Telemetry,
    master: MasterKey,
    *,
    delay: float,
    sessions: int | None = None,
) -> EndpointParts:
    """The parts over a store.

    `delay`: seconds for which what is asked of a machine stays pending. `sessions`: live responses at a time.
    """
    queue, outbox = JobQueue(store, clock, ids), Outbox(clock, ids)
    investigations = InvestigationRequests(queue, clock, delay=delay)
    return EndpointParts(
        store=store,
        clock=clock,
        ids=ids,
        outbox=outbox,
        telemetry=telemetry,
        links=DownloadLinks(master, clock),
        lists=KeptList(ListParts(store, CursorBox(master), clock, ids)),
        actions=ActionRequests(queue, clock, ids, delay=delay, sessions=sessions),
        investigations=investigations,
        reports=ReportParts(store, telemetry, outbox, investigations, clock, ids),
    )
