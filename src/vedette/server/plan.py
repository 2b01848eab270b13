"""What every process of one server is told when it starts."""

from pathlib import Path

import msgspec

from vedette.server.addresses import base_url
from vedette.server.certificates import CertificateFiles
from vedette.server.data_folder import DataFolder
from vedette.settings import Settings


class ServerPlan(msgspec.Struct, frozen=True):
    """Settings, folder and certificates of a server that is about to run. `certificates` None: plain HTTP."""

    settings: Settings
    folder: DataFolder
    certificates: CertificateFiles | None

    @property
    def base_url(self) -> str:
        """How people on this machine address the server."""
        return base_url(self.settings)

    @property
    def ca_file(self) -> Path | None:
        """What clients have to trust, if it is ours."""
        return self.certificates.authority if self.certificates else None
