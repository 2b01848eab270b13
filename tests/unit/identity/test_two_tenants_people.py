"""Whatever people of two tenants do, in one browser too: tokens and sessions stay in their tenant."""

import json
import tempfile
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from vedette.api.graph.directory import GraphDirectory
from vedette.api.http import ApiRequest
from vedette.context import RequestContext
from vedette.identity.directory.applications import RedirectUris
from vedette.identity.errors import TokenError
from vedette.identity.tokens.verifier import Verifier

from .browser import Browser
from .conftest import Template
from .test_user_grants import REDIRECT, VERIFIER, challenge
from .world import BASE, MTP, PASSWORD, REQUEST_ID, copy_world

TENANTS = st.sampled_from(["home", "customer"])
NAMES = {"home": "boss@contoso.example", "customer": "boss@fabrikam.example"}
LISTS = st.sampled_from(["list_users", "list_applications", "list_service_principals", "list_organizations"])
SCOPE = f"{MTP}/Incident.Read openid offline_access"


class PeopleOfTwoTenants(RuleBasedStateMachine):
    """The model: whose each token is. One browser is used by both administrators."""

    template: Template

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        path, master_key, seed = self.template
        self.world = copy_world(path, Path(self._folder.name), master_key, seed)
        self.verifier = Verifier(self.world.services)
        self.graph = GraphDirectory(self.world.services).handlers()
        self.browser = Browser(self.world)
        self.apps: dict[str, str] = {}
        for tenant in NAMES:
            self.register(tenant)
        self.tokens: list[tuple[str, str]] = []
        self.refresh_tokens: list[tuple[str, str]] = []
        self.made: dict[str, set[str]] = {"home": set(), "customer": set()}

    def teardown(self) -> None:
        self.world.store.close()
        self._folder.cleanup()

    def tenant_id(self, tenant: str) -> str:
        return str(getattr(self.world.seed, tenant).tenant_id)

    def register(self, tenant: str) -> None:
        """A public client of the tenant."""
        with self.world.provisioning() as admin:
            uris = RedirectUris(public_client=("http://localhost",))
            app = admin.create_application(self.tenant_id(tenant), f"Of {tenant}", kind="public", redirect_uris=uris)
            admin.add_required_permissions(self.tenant_id(tenant), app.app_id, "mtp", delegated=["Incident.Read"])
            admin.grant_admin_consent(self.tenant_id(tenant), app.app_id)
        self.apps[tenant] = app.app_id

    def ask(self, at: str, client_of: str, **form: str) -> dict[str, object]:
        fields = {"client_id": self.apps[client_of], "scope": SCOPE} | form
        return json.loads(self.world.request("token_v2", tenant=self.tenant_id(at), form=fields).body)

    def keep(self, answer: dict[str, object], *, tenant: str, allowed: bool) -> None:
        """What came back is of the tenant that was asked, or nothing came back."""
        assert ("access_token" in answer) == allowed, answer
        if allowed:
            self.tokens.append((tenant, str(answer["access_token"])))
            self.refresh_tokens.append((tenant, str(answer["refresh_token"])))

    @rule(at=TENANTS, client_of=TENANTS, person_of=TENANTS)
    def sign_in_in_the_browser(self, at: str, client_of: str, person_of: str) -> None:
        page = self.browser.get(
            f"/{self.tenant_id(at)}/oauth2/v2.0/authorize",
            {
                "client_id": self.apps[client_of],
                "response_type": "code",
                "redirect_uri": REDIRECT,
                "scope": SCOPE,
                "code_challenge": challenge(VERIFIER),
                "code_challenge_method": "S256",
                "state": "s",
            },
        )
        if page.step == "pick":
            assert NAMES["customer" if at == "home" else "home"] not in page.text
            page = self.browser.submit(page, account="other")
        if page.step == "password":
            page = self.browser.sign_in(page, NAMES[person_of])
        code = page.answer.get("code") if page.location.startswith(REDIRECT) else None
        assert code is None or at == client_of
        if code is not None:
            for tenant in NAMES:
                form = {"code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
                if tenant != at:
                    refused = self.ask(tenant, client_of, grant_type="authorization_code", **form)
                    assert "access_token" not in refused
            good = self.ask(at, client_of, grant_type="authorization_code", **form)
            self.keep(good, tenant=at, allowed=True)

    @rule(at=TENANTS, client_of=TENANTS, person_of=TENANTS)
    def sign_in_by_password(self, at: str, client_of: str, person_of: str) -> None:
        form = {"grant_type": "password", "username": NAMES[person_of], "password": PASSWORD.reveal()}
        self.keep(self.ask(at, client_of, **form), tenant=at, allowed=at == client_of == person_of)

    @precondition(lambda self: self.refresh_tokens)
    @rule(at=TENANTS, client_of=TENANTS, data=st.data())
    def refresh(self, at: str, client_of: str, data: st.DataObject) -> None:
        tenant, token = data.draw(st.sampled_from(self.refresh_tokens))
        answer = self.ask(at, client_of, grant_type="refresh_token", refresh_token=token)
        assert "access_token" not in answer or at == client_of == tenant
        if "access_token" in answer:
            self.tokens.append((tenant, str(answer["access_token"])))

    @rule(tenant=TENANTS)
    def revoke(self, tenant: str) -> None:
        with self.world.provisioning() as admin:
            admin.revoke_tokens(self.tenant_id(tenant))
        self.world.clock.advance(1)

    @rule(tenant=TENANTS, number=st.integers(0, 99))
    def add_a_person(self, tenant: str, number: int) -> None:
        name = f"p{number}@{NAMES[tenant].partition('@')[2]}"
        if name not in self.made[tenant]:
            with self.world.provisioning() as admin:
                admin.create_user(self.tenant_id(tenant), name, name, None)
            self.made[tenant].add(name)

    @rule()
    def sign_out(self) -> None:
        self.browser.get(f"/{self.tenant_id('home')}/oauth2/v2.0/logout")

    @precondition(lambda self: self.tokens)
    @rule(data=st.data(), listed=LISTS)
    def read(self, data: st.DataObject, listed: str) -> None:
        tenant, token = data.draw(st.sampled_from(self.tokens))
        try:
            principal = self.verifier.verify(token)
        except TokenError:  # revoked or over
            return
        assert principal.tenant_id == self.tenant_id(tenant)
        owner = self.verifier.tenant(principal.tenant_id)
        assert owner is not None
        context = RequestContext(owner, principal, REQUEST_ID, REQUEST_ID, BASE)
        request = ApiRequest("GET", "/v1.0/users", {}, "", {}, b"", BASE, "192.0.2.7", REQUEST_ID)
        text = self.graph[listed](context, request).body.decode()
        other = "customer" if tenant == "home" else "home"
        foreign = {self.apps[other], NAMES[other]} | self.made[other]
        if listed != "list_service_principals":  # a partner's says who owns the application
            foreign.add(self.tenant_id(other))
        assert not [name for name in foreign if name in text]
        if listed == "list_users":
            assert all(name in text for name in self.made[tenant] | {NAMES[tenant]})


def test_people_and_sessions_stay_in_their_tenant(template: Template) -> None:
    machine = type("Machine", (PeopleOfTwoTenants,), {"template": template})
    run_state_machine_as_test(machine, settings=settings(max_examples=8, stateful_step_count=20, deadline=None))
