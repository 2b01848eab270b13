"""Intake of telemetry over HTTP: one request is one batch, answered once it is durable."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from vedette.api.http import ApiRequest, ApiResponse, AuthenticatedHandler
from vedette.context import RequestContext
from vedette.contracts.mappings import load_envelopes
from vedette.errors import ApiError, InvalidRequestError
from vedette.ingest.errors import BatchIdError, BatchTooLargeError, UnknownFormatError
from vedette.ingest.pipeline import CONTENT_FORMATS
from vedette.ingest.receipts import Receipt
from vedette.ingest.sources.source import Source

FORMAT_HEADER = "vedette-format"
BATCH_HEADER = "vedette-batch-id"
SOURCE_HEADER = "vedette-source"
DEFAULT_SOURCE = "request"
_LONGEST_SOURCE = 256


class Intake(Protocol):
    """What takes batches in: `ingest.pipeline.Pipeline`."""

    def accept(self, tenant_id: str, batch_id: str | None, sources: list[Source], format_: str = "auto") -> Receipt: ...


class IngestSurface:
    """The handlers of the operations in `contracts/data/operations/ingest.toml`."""

    def __init__(self, pipeline: Intake) -> None:
        self._pipeline = pipeline

    def handlers(self) -> Mapping[str, AuthenticatedHandler]:
        """Handlers by the name that the operation records use."""
        return {"accept_events": self.accept_events}

    def accept_events(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """Take the body in as one batch of the caller's tenant.

        The kind of file is told by its content; Content-Type is not needed. Vedette-Format names a record format,
        Vedette-Batch-Id the batch, Vedette-Source what the quarantine calls the file.
        """
        format_ = request.headers.get(FORMAT_HEADER, "auto").strip().lower()
        try:
            receipt = self._pipeline.accept(
                context.tenant.tenant_id, request.headers.get(BATCH_HEADER), [_source(request)], format_
            )
        except UnknownFormatError as error:
            raise _unknown_format(error) from error
        except BatchIdError as error:
            raise InvalidRequestError("InvalidBatchId") from error
        except BatchTooLargeError as error:
            raise ApiError("BatchTooLarge", limit=error.limit) from error
        return ApiResponse(200, msgspec.json.encode(receipt))


def _source(request: ApiRequest) -> Source:
    name = request.headers.get(SOURCE_HEADER, DEFAULT_SOURCE)[:_LONGEST_SOURCE]
    if request.body_file is not None:
        if not request.body_file.stat().st_size:
            raise InvalidRequestError("EmptyBatch")
        return Source(name, request.body_file)
    if not request.body:
        raise InvalidRequestError("EmptyBatch")
    return Source(name, request.body)


def _unknown_format(error: UnknownFormatError) -> InvalidRequestError:
    if error.recognised:
        return InvalidRequestError("TelemetryFormatNotBuilt", format=error.name)
    read = [envelope.name for envelope in load_envelopes() if envelope.kind != "unsupported"]
    known = ", ".join(sorted({*CONTENT_FORMATS, *read}))
    return InvalidRequestError("UnknownTelemetryFormat", format=error.name, known=known)
