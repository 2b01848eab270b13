"""How a rule says which entities its hits are about: kinds of evidence, each filled from columns of the query."""

from collections.abc import Mapping
from typing import Literal

import msgspec

EntityType = Literal["device", "user", "mailbox", "process", "file", "ip", "url", "registryValue", "mailMessage"]

ENTITY_FIELDS: Mapping[EntityType, Mapping[str, bool]] = {
    "device": {"device_id": True, "device_name": False},
    "user": {
        "account_name": True,
        "domain_name": False,
        "user_sid": False,
        "object_id": False,
        "user_principal_name": False,
    },
    "mailbox": {"primary_address": True},
    "mailMessage": {"network_message_id": True, "recipient": False, "sender": False, "subject": False},
    "process": {
        "process_id": False,
        "command_line": True,
        "created": False,
        "file_name": False,
        "file_path": False,
        "sha1": False,
        "sha256": False,
        "parent_process_id": False,
        "parent_created": False,
        "parent_file_name": False,
        "parent_file_path": False,
        "account_name": False,
        "domain_name": False,
        "device_id": False,
    },
    "file": {"file_name": True, "file_path": False, "sha1": False, "sha256": False, "device_id": False},
    "ip": {"address": True},
    "url": {"url": True},
    "registryValue": {"key": True, "value_name": False, "value": False, "device_id": False},
}
"""Fields of each type; True: an entity without it is no entity and is left out of the alert."""


class EntityMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entity of a rule: its type, and for each field the column that holds it."""

    type: EntityType
    columns: Mapping[str, str]
    impacted: bool = False
    """Whether it is an asset the alert is about; alerts are grouped by the first such entity."""

    def faults(self) -> list[str]:
        """What is wrong with the mapping, in words."""
        fields = ENTITY_FIELDS[self.type]
        unknown = [f"{self.type} has no field {name!r}" for name in self.columns if name not in fields]
        missing = [
            f"{self.type} needs {name!r}" for name, required in fields.items() if required and name not in self.columns
        ]
        return unknown + missing
