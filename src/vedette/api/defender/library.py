"""The live-response library's operations."""

import re

from vedette.api.defender.answers import caller_name, collection, entity, found, without_options
from vedette.api.defender.endpoint import EndpointParts
from vedette.api.defender.machine_entities import to_library_file
from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.multipart import MultipartForm, read_form
from vedette.clock import now_ticks
from vedette.context import RequestContext
from vedette.errors import InvalidRequestError
from vedette.machines.library import MAX_BYTES, LibraryFiles, NewLibraryFile

_FILE_NAME = re.compile(r"[^\x00-\x1f\\/:*?\"<>|]{1,260}")


class DefenderLibrary:
    """Handlers."""

    def __init__(self, parts: EndpointParts) -> None:
        self._parts = parts

    def list(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/libraryfiles."""
        without_options(request)
        with self._parts.store.connect() as connection:
            files = LibraryFiles(connection, context.tenant.tenant_id).all()
        return collection(request, "LibraryFiles", map(to_library_file, files))

    def upload(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /api/libraryfiles."""
        body = request.body_file.read_bytes() if request.body_file is not None else request.body
        form = read_form(request.headers.get("content-type", ""), body)
        file = form.files.get("file")
        if file is None:
            raise InvalidRequestError("MissingParameter", parameter="File")
        if not _FILE_NAME.fullmatch(file.name) or len(file.content) > MAX_BYTES:
            raise InvalidRequestError("InvalidBodyValue", property="File")
        new = NewLibraryFile(
            file_name=file.name,
            content=file.content,
            created_by=caller_name(context.principal),
            description=form.fields.get("description", ""),
            parameters_description=form.fields.get("parametersdescription") or None,
            has_parameters=_truth(form, "HasParameters") or bool(form.fields.get("parametersdescription")),
            may_override=_truth(form, "OverrideIfExists"),
        )
        with self._parts.store.begin() as connection:
            stored = LibraryFiles(connection, context.tenant.tenant_id).put(new, now_ticks(self._parts.clock))
        return entity(request, "LibraryFiles", to_library_file(stored))

    def delete(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """DELETE /api/libraryfiles/{fileName}."""
        name = request.path_parameters["fileName"]
        with self._parts.store.begin() as connection:
            removed = LibraryFiles(connection, context.tenant.tenant_id).remove(name)
        found(removed or None, "LibraryFile", name)
        return ApiResponse(204)


def _truth(form: MultipartForm, name: str) -> bool:
    text = form.fields.get(name.lower(), "false").strip().lower()
    if text not in ("true", "false", ""):  # an empty text is the documented default
        raise InvalidRequestError("InvalidBodyValue", property=name)
    return text == "true"
