"""Rotation on schedule and removal of what expired."""

from sqlalchemy import func, select

from vedette.identity.directory.tables import SIGNING_KEYS
from vedette.identity.grants.tables import AUTHORIZATION_CODES, DEVICE_CODES
from vedette.identity.tokens.verifier import Verifier
from vedette.identity.upkeep import GRACE_SECONDS, Upkeep

from .test_user_grants import code_for
from .world import World, header_of


def test_the_signing_key_rotates_when_it_is_due_and_old_tokens_still_verify(world: World) -> None:
    home = world.seed.home.tenant_id
    lifetime = world.services.settings.signing_key_lifetime
    Upkeep(world.services).run(home)
    world.clock.advance(lifetime - 86_400 - 60)
    before = world.token()
    world.clock.advance(60)
    Upkeep(world.services).run(home)
    after = world.token()
    assert header_of(before)["kid"] != header_of(after)["kid"]
    verifier = Verifier(world.services)
    assert verifier.verify(before).app_id == verifier.verify(after).app_id
    Upkeep(world.services).run(home)
    assert header_of(world.token())["kid"] == header_of(after)["kid"]
    world.clock.advance(lifetime)
    Upkeep(world.services).run(home)
    with world.store.connect() as connection:
        kids = list(connection.scalars(select(SIGNING_KEYS.c.kid).where(SIGNING_KEYS.c.tenant_id == home)))
    assert header_of(before)["kid"] not in kids


def test_what_expired_is_forgotten_after_a_while(world: World) -> None:
    code_for(world)
    Upkeep(world.services).run(world.seed.customer.tenant_id)
    Upkeep(world.services).run(world.seed.home.tenant_id)
    with world.store.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(AUTHORIZATION_CODES)) == 1
    world.clock.advance(GRACE_SECONDS + 3600)
    Upkeep(world.services).run(world.seed.customer.tenant_id)
    with world.store.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(AUTHORIZATION_CODES)) == 1
    Upkeep(world.services).run(world.seed.home.tenant_id)
    with world.store.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(AUTHORIZATION_CODES)) == 0
        assert connection.scalar(select(func.count()).select_from(DEVICE_CODES)) == 0
