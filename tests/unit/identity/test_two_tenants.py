"""Whatever administrators do: a token names the tenant it was asked in, and works only while it may."""

import json
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from vedette.identity.errors import TokenError
from vedette.identity.tokens.verifier import Verifier

from .conftest import Template
from .world import copy_world

TENANTS = st.sampled_from(["home", "customer"])
APPS = st.sampled_from(["app", "partner"])
LIFETIME = 3599


class TwoTenants(RuleBasedStateMachine):
    """The model: which application is present and enabled where, and what was issued."""

    template: Template

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        path, master_key, seed = self.template
        self.world = copy_world(path, Path(self._folder.name), master_key, seed)
        self.verifier = Verifier(self.world.services)
        self.present = {("home", "app"), ("home", "partner"), ("customer", "partner")}
        self.disabled: set[tuple[str, str]] = set()
        self.issued: list[tuple[str, str, str, float]] = []
        self.revoked_at = {"home": -1.0, "customer": -1.0}

    def teardown(self) -> None:
        self.world.store.close()
        self._folder.cleanup()

    def tenant_id(self, tenant: str) -> str:
        return str(getattr(self.world.seed, tenant).tenant_id)

    def app_id(self, app: str) -> str:
        return str(getattr(self.world.seed, app).app_id)

    def may_act(self, tenant: str, app: str) -> bool:
        return (tenant, app) in self.present and (tenant, app) not in self.disabled

    @rule(tenant=TENANTS, app=APPS)
    def ask_for_a_token(self, tenant: str, app: str) -> None:
        secret = self.world.seed.secret if app == "app" else self.world.seed.partner_secret
        form = self.world.client_credentials(client_id=self.app_id(app), client_secret=secret)
        answer = self.world.request("token_v2", tenant=self.tenant_id(tenant), form=form)
        body = json.loads(answer.body)
        assert (answer.status == 200) == self.may_act(tenant, app), body
        if answer.status == 200:
            self.issued.append((tenant, app, body["access_token"], self.world.clock.time()))

    @rule(tenant=TENANTS, app=APPS)
    def consent(self, tenant: str, app: str) -> None:
        if (tenant, app) == ("customer", "app"):
            return
        with self.world.provisioning() as admin:
            admin.grant_admin_consent(self.tenant_id(tenant), self.app_id(app))
        self.present.add((tenant, app))

    @rule(tenant=TENANTS, app=APPS)
    def withdraw(self, tenant: str, app: str) -> None:
        if (tenant, app) in self.present:
            with self.world.provisioning() as admin:
                admin.withdraw_consent(self.tenant_id(tenant), self.app_id(app))
            self.present.discard((tenant, app))
            self.disabled.discard((tenant, app))
            self.expect_dead([token for token in self.issued if token[:2] == (tenant, app)])
            self.issued = [token for token in self.issued if token[:2] != (tenant, app)]

    def expect_dead(self, tokens: list[tuple[str, str, str, float]]) -> None:
        """A withdrawn principal's tokens are dead for good: the next consent makes another object."""
        self.world.clock.advance(1)
        for token in tokens:
            with pytest.raises(TokenError):
                self.verifier.verify(token[2])

    @rule(tenant=TENANTS, app=APPS, enabled=st.booleans())
    def enable(self, tenant: str, app: str, enabled: bool) -> None:
        if (tenant, app) in self.present:
            with self.world.provisioning() as admin:
                admin.set_principal_enabled(self.tenant_id(tenant), self.app_id(app), enabled)
            (self.disabled.discard if enabled else self.disabled.add)((tenant, app))

    @rule(tenant=TENANTS)
    def rotate(self, tenant: str) -> None:
        with self.world.provisioning() as admin:
            admin.rotate_signing_key(self.tenant_id(tenant))

    @rule(tenant=TENANTS)
    def revoke(self, tenant: str) -> None:
        with self.world.provisioning() as admin:
            admin.revoke_tokens(self.tenant_id(tenant))
        self.revoked_at[tenant] = self.world.clock.time()
        self.world.clock.advance(1)

    @rule(seconds=st.sampled_from([1, 60, 1800, LIFETIME]))
    def wait(self, seconds: int) -> None:
        self.world.clock.advance(seconds)

    @precondition(lambda self: self.issued)
    @rule(data=st.data())
    def use_a_token(self, data: st.DataObject) -> None:
        tenant, app, token, at = data.draw(st.sampled_from(self.issued))
        self.world.clock.advance(1)
        alive = self.world.clock.time() < at + LIFETIME and at > self.revoked_at[tenant]
        if self.may_act(tenant, app) and alive:
            principal = self.verifier.verify(token)
            assert (principal.tenant_id, principal.app_id) == (self.tenant_id(tenant), self.app_id(app))
        else:
            with pytest.raises(TokenError):
                self.verifier.verify(token)


def test_tokens_stay_in_their_tenant(template: Template) -> None:
    machine = type("Machine", (TwoTenants,), {"template": template})
    run_state_machine_as_test(machine, settings=settings(max_examples=10, stateful_step_count=25, deadline=None))
