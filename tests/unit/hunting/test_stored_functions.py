"""Functions that tenants store: checked on save, found by queries of their tenant only."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from vedette.errors import ApiError, ConflictError, InvalidRequestError, NotFoundError
from vedette.hunting.catalog import ContractCatalog
from vedette.hunting.columns import query_columns
from vedette.hunting.stored_functions import StoredFunction, StoredFunctions, tenant_catalog
from vedette.hunting.tables import HUNTING_FUNCTIONS
from vedette.kql.errors import KqlError
from vedette.store.engine import Store
from vedette.store.metadata import METADATA
from vedette.store.tenancy import tables_without_tenant

HOME = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
COMMON = ContractCatalog()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.in_folder(tmp_path)
    with store.begin() as connection:
        METADATA.create_all(connection)
    yield store
    store.close()


def function(name: str, query: str, parameters: str = "") -> StoredFunction:
    return StoredFunction(name, parameters, query, "", 1, "somebody")


def save(store: Store, stored: StoredFunction, tenant_id: str = HOME) -> None:
    with store.begin() as connection:
        StoredFunctions(connection, tenant_id).create(stored, COMMON)


def columns(store: Store, query: str, tenant_id: str = HOME) -> tuple[str, ...] | None:
    with store.connect() as connection:
        return query_columns(query, tenant_catalog(connection, tenant_id, COMMON))


def test_the_table_is_a_tenants() -> None:
    assert HUNTING_FUNCTIONS.name not in tables_without_tenant(METADATA)


def test_queries_name_the_functions_of_their_tenant_and_no_other(store: Store) -> None:
    save(
        store, function("Shells", "DeviceProcessEvents | where FileName == f | project DeviceId, FileName", "f: string")
    )
    assert columns(store, "Shells('bash') | take 1") == ("DeviceId", "FileName")
    with pytest.raises(KqlError, match="KS211"):
        columns(store, "Shells('bash') | take 1", OTHER)
    save(store, function("Shells", "print theirs = 1"), OTHER)
    assert columns(store, "Shells", OTHER) == ("theirs",)
    assert columns(store, "Shells('bash')") == ("DeviceId", "FileName")


def test_a_function_takes_rows_and_calls_others(store: Store) -> None:
    save(store, function("Twice", "x * 2", "x: long"))
    save(store, function("Doubled", "T | extend n = Twice(n)", "T: (n: long)"))
    assert columns(store, "print n = 1 | invoke Doubled()") == ("n",)


def test_a_let_statement_hides_a_stored_function(store: Store) -> None:
    save(store, function("Source", "DeviceInfo | project DeviceId"))
    assert columns(store, "let Source = () { print mine = 1 }; Source()") == ("mine",)


@pytest.mark.parametrize(
    ("parameters", "query", "code"),
    [
        ("", "DeviceInfo | wher 1", "KS176"),
        ("", "DeviceInfo | project Nothing", "KS142"),
        ("", "Itself() | take 1", "KS211"),
        ("", "Itself | take 1", "KS204"),
        ("", "let a = 1;", "KS202"),
        ("x string", "print x", "KS005"),
        ("", "print 1 } DeviceInfo {", "KS198"),
    ],
)
def test_what_does_not_bind_is_not_stored(store: Store, parameters: str, query: str, code: str) -> None:
    with pytest.raises(KqlError, match=code):
        save(store, function("Itself", query, parameters))
    with store.connect() as connection:
        assert StoredFunctions(connection, HOME).all() == []


def test_errors_stand_in_the_query_as_it_was_written(store: Store) -> None:
    with pytest.raises(KqlError) as caught:
        save(store, function("Mine", "DeviceInfo\n| project Nothing", "a: string, b: long"))
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.line, diagnostic.column, diagnostic.span.start) == (2, 11, 21)


@pytest.mark.parametrize("name", ["DeviceInfo", "tostring", "count", "FileProfile", "MiscEvents", "bag_unpack"])
def test_what_has_a_meaning_keeps_it(store: Store, name: str) -> None:
    with pytest.raises(ApiError):
        save(store, function(name, "print 1"))


@pytest.mark.parametrize("name", ["", "1a", "a b", "where", "a-b", "x" * 129])
def test_names_are_words(store: Store, name: str) -> None:
    with pytest.raises(InvalidRequestError, match="FunctionNameInvalid"):
        save(store, function(name, "print 1"))


def test_a_name_is_given_once_and_again_after_it_was_deleted(store: Store) -> None:
    save(store, function("Mine", "print a = 1"))
    with pytest.raises(ConflictError, match="FunctionExists"):
        save(store, function("Mine", "print b = 1"))
    with store.begin() as connection:
        StoredFunctions(connection, OTHER).all()
        with pytest.raises(NotFoundError, match="FunctionNotFound"):
            StoredFunctions(connection, OTHER).remove("Mine")
        StoredFunctions(connection, HOME).remove("Mine")
    save(store, function("Mine", "print b = 1"))
    assert columns(store, "Mine()") == ("b",)


def test_the_catalogs_version_follows_the_functions(store: Store) -> None:
    with store.connect() as connection:
        before = tenant_catalog(connection, HOME, COMMON).version
    save(store, function("Mine", "print a = 1"))
    with store.connect() as connection:
        assert tenant_catalog(connection, HOME, COMMON).version != before
        assert tenant_catalog(connection, OTHER, COMMON).version == before


def test_a_tenants_watchlists_are_a_stored_function(store: Store) -> None:
    rows = 'datatable(Alias:string, SearchKey:string)["assets", "dc01"] | where Alias == watchlistAlias'
    with pytest.raises(KqlError, match="KS211"):
        columns(store, "_GetWatchlist('assets')")
    save(store, function("_GetWatchlist", f"{rows} | project SearchKey", "watchlistAlias: string"))
    joined = "DeviceInfo | project DeviceName | join (_GetWatchlist('assets')) on $left.DeviceName == $right.SearchKey"
    assert columns(store, joined) == ("DeviceName", "SearchKey")
