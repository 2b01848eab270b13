"""The master key file, sealing and keyed hashing."""

import os
import pickle
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vedette.errors import UsageError
from vedette.store.secrets import KeyedHasher, MasterKey, Sealer, SealError, Secret


def test_the_key_file_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "master.key"
    first = MasterKey.load_or_create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert MasterKey.load_or_create(path).derive("x").reveal() == first.derive("x").reveal()
    assert list(path.parent.iterdir()) == [path]


def test_makers_at_the_same_time_get_the_same_key(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: MasterKey.load_or_create(path).derive("x").reveal(), range(16)))
    assert len(set(keys)) == 1


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    MasterKey.load_or_create(path)
    path.chmod(0o640)
    with pytest.raises(UsageError, match="chmod 600"):
        MasterKey.load_or_create(path)


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    path.write_bytes(b"short")
    path.chmod(0o600)
    with pytest.raises(UsageError, match="32 bytes expected, 5 found"):
        MasterKey.load_or_create(path)


def test_every_purpose_has_its_own_key() -> None:
    key = MasterKey.random()
    assert key.derive("a").reveal() != key.derive("b").reveal()


def test_sealed_values_open_only_in_their_context_under_their_key() -> None:
    master = MasterKey.random()
    sealer = Sealer(master.derive("seal"))
    sealed = sealer.seal(Secret(b"private"), "row/1")
    assert sealer.open(sealed, "row/1").reveal() == b"private"
    assert b"private" not in sealed
    assert sealer.seal(Secret(b"private"), "row/1") != sealed
    altered = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for attempt in (
        lambda: sealer.open(sealed, "row/2"),
        lambda: sealer.open(altered, "row/1"),
        lambda: sealer.open(b"", "row/1"),
        lambda: Sealer(MasterKey.random().derive("seal")).open(sealed, "row/1"),
    ):
        with pytest.raises(SealError):
            attempt()


def test_hashes_are_keyed() -> None:
    hasher, other = (KeyedHasher(MasterKey.random().derive("h")) for _ in range(2))
    assert hasher.matches("value", hasher.digest("value"))
    assert not hasher.matches("value", other.digest("value"))
    assert not hasher.matches("Value", hasher.digest("value"))


def test_a_secret_hides_itself() -> None:
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"
    with pytest.raises(TypeError):
        pickle.dumps(secret)
