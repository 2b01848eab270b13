"""A browser without JavaScript over the login handlers: it keeps cookies, follows forms, and stops at other hosts."""

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from vedette.api.http import ApiResponse
from vedette.contracts.operations import load_operations

from .world import BASE, PASSWORD, World


class Page(HTMLParser):
    """An answer, read as a browser reads it."""

    def __init__(self, response: ApiResponse) -> None:
        super().__init__()
        self.response = response
        self.status = response.status
        self.text = response.body.decode()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.inputs: list[dict[str, str | None]] = []
        self.labels: set[str] = set()
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "form":
            self.action = named.get("action") or ""
        if tag == "label" and named.get("for"):
            self.labels.add(named["for"] or "")
        if tag == "input":
            self.inputs.append(named)
            if named.get("type") == "hidden":
                self.fields[named["name"] or ""] = named.get("value") or ""

    @property
    def title(self) -> str:
        """The heading."""
        return re.search(r"<h1>(.*?)</h1>", self.text, re.DOTALL).group(1)  # type: ignore[union-attr]

    @property
    def step(self) -> str:
        """Which step the form belongs to."""
        return self.action.rpartition("/")[2]

    @property
    def location(self) -> str:
        """Where the answer redirects to."""
        return self.response.headers.get("location", "")

    @property
    def answer(self) -> dict[str, str]:
        """What a redirect tells the application, in query or fragment."""
        parts = urlsplit(self.location)
        return {name: values[0] for name, values in parse_qs(parts.query or parts.fragment).items()}


class Browser:
    """One person's browser."""

    def __init__(self, world: World, address: str = "192.0.2.7") -> None:
        self._world = world
        self._address = address
        self.cookies: dict[str, str] = {}

    def get(self, path: str, parameters: Mapping[str, str] | None = None, **options: str) -> Page:
        """Open a path."""
        return self._send("GET", path, urlencode(parameters or {}), None, options)

    def post(self, path: str, form: Mapping[str, str]) -> Page:
        """Send a form somewhere."""
        return self._send("POST", path, "", urlencode(form).encode(), {})

    def submit(self, page: Page, **fields: str) -> Page:
        """Fill in the page's form and send it."""
        return self.post(page.action, {**page.fields, **fields})

    def sign_in(self, page: Page, name: str = "ada@contoso.example", **fields: str) -> Page:
        """Fill in the sign-in page."""
        assert page.step == "password", page.text
        return self.submit(page, **({"username": name, "password": PASSWORD.reveal()} | fields))

    def _send(self, method: str, path: str, query: str, body: bytes | None, options: Mapping[str, str]) -> Page:
        handler, parameters = _route(method, path)
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        response = self._world.request(
            handler,
            method=method,
            query=query,
            body=b"" if body is None else body,
            headers={"cookie": cookie} if cookie else {},
            client_address=self._address,
            base_url=options.get("base_url", BASE),
            **parameters,
        )
        jar: SimpleCookie = SimpleCookie(response.headers.get("set-cookie", ""))
        self.cookies |= {name: morsel.value for name, morsel in jar.items()}
        return Page(response)


def _route(method: str, path: str) -> tuple[str, dict[str, str]]:
    for operation in load_operations()["login"].operations:
        for template in (operation.path, *operation.aliases):
            pattern = re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", template)
            match = re.fullmatch(pattern, path)
            if match and operation.method == method:
                return operation.handler, {name: unquote(value) for name, value in match.groupdict().items()}
    raise AssertionError(f"no operation for {method} {path}")
