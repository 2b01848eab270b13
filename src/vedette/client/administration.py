"""Administration of a running server from the machine it runs on: the calls below `/vedette/v1`."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from vedette.client.transport import Transport, checked

ROOT = "/vedette/v1"


class Administration:
    """One server. Raises ClientError."""

    def __init__(self, transport: Transport, token: str) -> None:
        self._transport = transport
        self._headers = {"Authorization": f"Bearer {token}"}

    def faults(self) -> list[dict[str, Any]]:
        """Every fault that was ordered."""
        found: list[dict[str, Any]] = self._ask("GET", "/faults")["faults"]
        return found

    def add_fault(self, fault: Mapping[str, object]) -> dict[str, Any]:
        """Order a fault; it with its id."""
        return self._ask("POST", "/faults", fault)

    def remove_fault(self, fault_id: str) -> None:
        """Take one back."""
        self._ask("DELETE", f"/faults/{quote(fault_id, safe='')}")

    def clear_faults(self) -> None:
        """Take all back."""
        self._ask("DELETE", "/faults")

    def clock(self) -> dict[str, Any]:
        """`now` and `offsetSeconds`."""
        return self._ask("GET", "/clock")

    def set_clock(self, now: str) -> dict[str, Any]:
        """Set the clock; it goes on from there."""
        return self._ask("PUT", "/clock", {"now": now})

    def advance_clock(self, seconds: float) -> dict[str, Any]:
        """Move the clock."""
        return self._ask("POST", "/clock/advance", {"seconds": seconds})

    def reset_clock(self) -> dict[str, Any]:
        """Back to the system's time."""
        return self._ask("DELETE", "/clock")

    def seed(self, content: bytes, tenant: str | None = None) -> dict[str, Any]:
        """Seed a tenant (GUID or domain; default: the home tenant) with a JSON or YAML document."""
        query = f"?tenant={quote(tenant, safe='')}" if tenant else ""
        reply = checked(self._transport.post(f"{ROOT}/seed{query}", content, headers=self._headers))
        made: dict[str, Any] = reply.json()
        return made

    def snapshots(self) -> list[dict[str, Any]]:
        """Every snapshot."""
        found: list[dict[str, Any]] = self._ask("GET", "/snapshots")["snapshots"]
        return found

    def save(self, name: str) -> dict[str, Any]:
        """Save the state."""
        return self._ask("PUT", f"/snapshots/{quote(name, safe='')}")

    def restore(self, name: str) -> None:
        """Bring a state back."""
        self._ask("POST", f"/snapshots/{quote(name, safe='')}/restore")

    def delete_snapshot(self, name: str) -> None:
        """Delete a snapshot."""
        self._ask("DELETE", f"/snapshots/{quote(name, safe='')}")

    def reset(self) -> None:
        """Begin anew."""
        self._ask("POST", "/reset")

    def usage(self, tenant: str | None = None) -> dict[str, Any]:
        """What a tenant used of its quotas."""
        return self._ask("GET", f"/usage?tenant={quote(tenant, safe='')}" if tenant else "/usage")

    def _ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        reply = checked(self._transport.send(method, ROOT + path, headers=self._headers, json=body))
        answer: dict[str, Any] = reply.json() if reply.body else {}
        return answer
