"""Structured logs on standard error: one JSON object a line, or coloured text on a terminal.

Every line carries what is bound to the running request or job (tenant, application, request id), passes the redactor
and never goes to standard output, which belongs to a command's result.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, TextIO

from vedette.observability.redaction import redact

# structlog imports rich, for tracebacks in colour, where it finds it: a tenth of a second that no server needs.
_hides_rich = "rich" not in sys.modules
if _hides_rich:
    sys.modules["rich"] = None  # type: ignore[assignment]
try:
    import structlog
    from structlog.typing import Processor
finally:
    if _hides_rich:
        del sys.modules["rich"]

_CHATTY = ("alembic", "granian", "_granian", "asyncio")
"""Libraries whose everyday messages help nobody."""

Format = Literal["auto", "json", "console"]


def configure_logs(level: str = "info", form: Format = "auto", stream: TextIO | None = None) -> None:
    """Set up logging of this process, the standard library's loggers included. May be called again."""
    output = stream or sys.stderr
    json_lines = form == "json" or (form == "auto" and not output.isatty())
    renderer: Processor = (
        structlog.processors.JSONRenderer() if json_lines else structlog.dev.ConsoleRenderer(colors=output.isatty())
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(_number(level)),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redact,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_number(level))
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(_number(level), logging.WARNING))


def get_logger(name: str) -> Any:
    """The logger of a module; its name is bound as `logger`. Usable before `configure_logs`."""
    return structlog.stdlib.get_logger(name).bind(logger=name)


@contextmanager
def bound(**values: str) -> Iterator[None]:
    """Bind values (`tenant`, `application`, `request_id`, `job`) to every line logged inside, threads not included."""
    with structlog.contextvars.bound_contextvars(**values):
        yield


def _number(level: str) -> int:
    return logging.getLevelNamesMapping()[level.upper()]
