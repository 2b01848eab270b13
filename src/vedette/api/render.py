"""JSON answers of the resource APIs."""

from collections.abc import Mapping

import msgspec

from vedette.api.http import ApiResponse

JSON = "application/json; charset=utf-8"
GRAPH_JSON = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"

_ENCODER = msgspec.json.Encoder()


def json_answer(
    document: object, *, status: int = 200, media_type: str = JSON, headers: Mapping[str, str] | None = None
) -> ApiResponse:
    """`document` (structs, mappings, lists, msgspec.Raw) as an answer."""
    return ApiResponse(status=status, body=_ENCODER.encode(document), media_type=media_type, headers=headers or {})
