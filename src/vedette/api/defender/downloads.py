"""Files behind signed links: packages, live-response results, exports."""

from collections.abc import Callable, Mapping

from vedette.api.defender.endpoint import EndpointParts
from vedette.api.downloads import Download, attachment, media_type
from vedette.api.http import ApiRequest, ApiResponse
from vedette.errors import NotFoundError
from vedette.machines.actions import MachineActions

Source = Callable[[Download], ApiResponse]


class DefenderDownloads:
    """Handler. It needs no token: the link is the permission, and it names the tenant."""

    def __init__(self, parts: EndpointParts, sources: Mapping[str, Source]) -> None:
        """`sources`: what fetches a file, by kind of link, beside the results of actions."""
        self._parts = parts
        self._sources = {"action": self._action_output, **sources}

    def get(self, request: ApiRequest) -> ApiResponse:
        """GET /api/downloads/{token}."""
        download = self._parts.links.read(request.path_parameters["token"])
        return self._sources[download.kind](download)

    def _action_output(self, download: Download) -> ApiResponse:
        action_id, position = download.key
        with self._parts.store.connect() as connection:
            output = MachineActions(connection, download.tenant_id).output(action_id, int(position))
        if output is None:
            raise NotFoundError(resource="download")
        headers = {"content-disposition": attachment(output.file_name)}
        return ApiResponse(200, output.content, media_type(output.media_type), headers)
