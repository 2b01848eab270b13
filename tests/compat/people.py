"""A person's browser over HTTPS, without JavaScript, for clients that send their user to a page."""

import re
import ssl
from html import unescape
from urllib.parse import urlencode, urljoin

import httpx2

from .conftest import DemoServer


class Person:
    """Signs in on the pages of a running server."""

    def __init__(self, server: DemoServer, alias: str = "analyst") -> None:
        users = {user["upn"]: user for user in server.demo["users"]}  # type: ignore[attr-defined]
        self.name = f"{alias}@{server.home['domain']}"
        self.password = str(users[self.name]["password"])
        self._client = httpx2.Client(verify=ssl.create_default_context(cafile=server.ca_file), trust_env=False)

    def __enter__(self) -> "Person":
        return self

    def __exit__(self, *details: object) -> None:
        self._client.close()

    def sign_in(self, url: str) -> httpx2.Response:
        """Open a page and sign in; the answer is the next page, or the redirect to the application."""
        return self.submit(self._client.get(url), username=self.name, password=self.password)

    def open(self, url: str) -> httpx2.Response:
        """Open a page."""
        return self._client.get(url)

    def submit(self, page: httpx2.Response, **fields: str) -> httpx2.Response:
        """Fill in the page's form and send it."""
        action = re.search(r'<form method="post" action="([^"]*)"', page.text)
        assert action is not None, page.text
        hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.text)
        form = {name: unescape(value) for name, value in hidden} | fields
        return self._client.post(
            urljoin(str(page.url), unescape(action[1])),
            content=urlencode(form),
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
