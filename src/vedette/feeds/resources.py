"""Resources that others make and Vedette keeps as they came: threat intelligence, identity sensors and their health.

A resource is a document of one of Graph's types, in a collection named by its path below `/security`. It may belong to
others: its links say to which, by the name of the navigation property.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Row

from vedette.feeds.tables import FEED_RESOURCES
from vedette.store.tenancy import TenantRepository

Document = Mapping[str, Any]


class Resource(msgspec.Struct, frozen=True):
    """One resource. `document` has its `id`. Times are ticks."""

    resource_id: str
    document: Document
    links: Mapping[str, str]
    created: int
    last_update: int


class Resources(TenantRepository):
    """The resources of one tenant."""

    def all(self, collection: str) -> list[Resource]:
        """Every resource of a collection, by id."""
        table = FEED_RESOURCES
        statement = self.select(table).where(table.c.collection == collection).order_by(table.c.resource_id)
        return [_to_resource(row) for row in self.connection.execute(statement)]

    def linked(self, collection: str, link: str, resource_id: str) -> list[Resource]:
        """The resources of a collection that belong to another one."""
        return [each for each in self.all(collection) if each.links.get(link) == resource_id]

    def get(self, collection: str, resource_id: str) -> Resource | None:
        """One resource, or None."""
        row = self.connection.execute(self.select(FEED_RESOURCES).where(*_place(collection, resource_id))).first()
        return None if row is None else _to_resource(row)

    def put(self, collection: str, document: Document, links: Mapping[str, str], actor: str, now: int) -> None:
        """Store a resource, or what it has become."""
        place = _place(collection, document["id"])
        values = {"document": dict(document), "links": dict(links), "last_update": now, "last_modified_by": actor}
        if self.connection.execute(self.update(FEED_RESOURCES).where(*place).values(values)).rowcount == 0:
            self.insert(FEED_RESOURCES, collection=collection, resource_id=document["id"], created=now, **values)

    def remove(self, collection: str, resource_id: str) -> bool:
        """Delete a resource; False if it is not there."""
        statement = self.delete(FEED_RESOURCES).where(*_place(collection, resource_id))
        return self.connection.execute(statement).rowcount == 1


def _place(collection: str, resource_id: str) -> tuple[Any, Any]:
    return FEED_RESOURCES.c.collection == collection, FEED_RESOURCES.c.resource_id == resource_id


def _to_resource(row: Row[Any]) -> Resource:
    return Resource(row.resource_id, row.document, row.links, row.created, row.last_update)
