"""Who does what a request asks for: as activity logs and comments name them."""

from typing import Literal

from vedette.clock import Clock, now_ticks
from vedette.context import RequestContext
from vedette.incidents.changes import By

Surface = Literal["Microsoft Graph", "Defender XDR API", "Defender for Endpoint API"]


def by_caller(context: RequestContext, clock: Clock, via: Surface) -> By:
    """The caller, now, over a surface."""
    return By(context.principal.display_name or context.principal.app_id, now_ticks(clock), via)
