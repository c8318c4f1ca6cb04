"""An OpenID Connect provider for tests, served over HTTP on this machine from a thread of its own.

It is as strict as a real one: it knows its client and its way back, verifies PKCE, hands each code
out once, and refuses a client that cannot show who it is. What it signs can be spoilt.
"""

import base64
import hashlib
import json
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

from joserfc import jwk, jwt
from joserfc.errors import JoseError, SecurityWarning

Claims = dict[str, Any]
Key = jwk.RSAKey | jwk.ECKey | jwk.OKPKey
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass
class Person:
    """Somebody whom the provider knows."""

    subject: str
    email: str
    verified: bool = True
    more: Claims = field(default_factory=dict)

    def claims(self) -> Claims:
        return {"email": self.email, "email_verified": self.verified, **self.more}


@dataclass
class Asked:
    """What an authorization request asked, kept with its code."""

    query: dict[str, str]
    person: Person
    used: bool = False


@dataclass
class Provider:
    """The provider, and how a test bends it."""

    key: Key
    kid: str = "first"
    algorithm: str = "RS256"
    client_id: str = "panel"
    secret: str = "correct horse: 100%"
    client_key: Key | None = None
    back: str = ""
    """The one address that it sends people back to."""
    now: Callable[[], float] = lambda: 0.0
    person: Person | None = None
    """Who signs in; None shows a page with a button for each of `people`."""
    people: list[Person] = field(default_factory=list)
    port: int = 0
    host: str = "127.0.0.1"
    spoil: Callable[[Claims], Claims] = lambda claims: claims
    sign: Callable[["Provider", Claims], str] | None = None
    announced: Claims = field(default_factory=dict)
    says_issuer: bool = True
    in_userinfo: bool = False
    access: str = ""
    """The access token that it gives, where it is not the person's own."""
    published: list[Claims] | None = None
    codes: dict[str, Asked] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)
    assertions: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    """Every path that was asked for."""

    @property
    def issuer(self) -> str:
        return f"http://{self.host}:{self.port}"

    def metadata(self) -> Claims:
        found = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "end_session_endpoint": f"{self.issuer}/sign-out",
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"],
            "id_token_signing_alg_values_supported": [self.algorithm],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": self.says_issuer,
        }
        return found | self.announced

    def keys(self) -> list[Claims]:
        if self.published is not None:
            return self.published
        return [{**self.key.as_dict(private=False), "kid": self.kid, "use": "sig"}]

    def signed(self, claims: Claims, **header: str) -> str:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)
            said = {"alg": self.algorithm, "kid": self.kid} | header
            return jwt.encode(said, claims, self.key, algorithms=[self.algorithm])

    def authorize(self, query: dict[str, str], person: Person) -> str:
        """Where to send the browser, with a code."""
        code = token_urlsafe(16)
        self.codes[code] = Asked(query, person)
        back = {"code": code, "state": query["state"]}
        if self.says_issuer:
            back["iss"] = self.issuer
        return f"{query['redirect_uri']}?{urlencode(back)}"

    def refuses(self, query: dict[str, str]) -> str:
        """Why an authorization request is none; "" where it is one."""
        checks = {
            "client": query.get("client_id") == self.client_id,
            "way back": query.get("redirect_uri") == self.back,
            "kind": query.get("response_type") == "code",
            "scope": "openid" in query.get("scope", "").split(),
            "PKCE": query.get("code_challenge_method") == "S256"
            and len(query.get("code_challenge", "")) == 43,
            "state": len(query.get("state", "")) > 20 and len(query.get("nonce", "")) > 20,
        }
        return ", ".join(name for name, is_right in checks.items() if not is_right)

    def exchange(self, form: Mapping[str, str], authorization: str) -> tuple[int, Claims]:
        """Tokens for a code, once, to our own client, with the verifier of its challenge."""
        if not self._is_client(form, authorization):
            return 401, {"error": "invalid_client"}
        asked = self.codes.get(form.get("code", ""))
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (
            asked is None
            or asked.used
            or form.get("grant_type") != "authorization_code"
            or form.get("redirect_uri") != asked.query["redirect_uri"]
            or challenge != asked.query["code_challenge"]
        ):
            return 400, {"error": "invalid_grant"}
        asked.used = True
        now = int(self.now())
        claims = {
            "iss": self.issuer,
            "sub": asked.person.subject,
            "aud": self.client_id,
            "exp": now + 300,
            "iat": now,
            "nonce": asked.query["nonce"],
            **({} if self.in_userinfo else asked.person.claims()),
        }
        if "max_age" in asked.query:
            claims["auth_time"] = now
        claims = self.spoil(claims)
        token = self.sign(self, claims) if self.sign else self.signed(claims)
        self.tokens.append(token)
        access = self.access or f"access {asked.person.subject}"
        return 200, {"id_token": token, "access_token": access, "token_type": "Bearer"}

    def _is_client(self, form: Mapping[str, str], authorization: str) -> bool:
        if self.client_key is None:
            pair = f"{quote_plus(self.client_id)}:{quote_plus(self.secret)}"
            return authorization == f"Basic {base64.b64encode(pair.encode()).decode()}"
        if form.get("client_assertion_type") != ASSERTION:
            return False
        try:
            shown = jwt.decode(form["client_assertion"], self.client_key, algorithms=["ES256"])
        except (JoseError, KeyError):
            return False
        said = shown.claims
        is_new = said["jti"] not in self.assertions
        self.assertions.add(said["jti"])
        return is_new and (
            said["iss"] == said["sub"] == self.client_id
            and said["aud"] == f"{self.issuer}/token"
            and said["exp"] > self.now()
        )


class _Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.provider.asked.append(parts.path)
        if parts.path == "/.well-known/openid-configuration":
            self._json(200, self.provider.metadata())
        elif parts.path == "/keys":
            self._json(200, {"keys": self.provider.keys()})
        elif parts.path == "/authorize":
            self._authorize(query)
        elif parts.path == "/userinfo":
            self._userinfo()
        elif parts.path == "/sign-out":
            self._page("<h1>Signed out of the provider</h1>")
        else:
            self._json(404, {})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        body = parse_qs(self.rfile.read(length).decode())
        form = {name: values[0] for name, values in body.items()}
        self.provider.asked.append(self.path)
        if self.path == "/token":
            self._json(*self.provider.exchange(form, self.headers.get("Authorization", "")))
        else:
            self._json(404, {})

    def _authorize(self, query: dict[str, str]) -> None:
        if why := self.provider.refuses(query):
            self._page(f"<h1>Refused: {escape(why)}</h1>", 400)
            return
        chosen = query.pop("person", "")
        person = self.provider.person or next(
            (one for one in self.provider.people if one.subject == chosen), None
        )
        if person is not None:
            self.send_response(302)
            self.send_header("Location", self.provider.authorize(query, person))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        hidden = "".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
            for name, value in query.items()
        )
        buttons = "".join(
            f'<button name="person" value="{escape(one.subject)}">{escape(one.email)}</button>'
            for one in self.provider.people
        )
        self._page(f"<h1>Who are you?</h1><form action='/authorize'>{hidden}{buttons}</form>")

    def _userinfo(self) -> None:
        subject = self.headers.get("Authorization", "").removeprefix("Bearer access ")
        known = [*self.provider.people, *filter(None, [self.provider.person])]
        found = next((one for one in known if one.subject == subject), None)
        if found is None:
            self._json(401, {})
        else:
            self._json(200, {"sub": found.subject, **found.claims()})

    def _json(self, status: int, content: Claims) -> None:
        self._send(status, "application/json", json.dumps(content))

    def _page(self, body: str, status: int = 200) -> None:
        page = f'<!DOCTYPE html><html lang="en"><title>Provider</title><body>{body}</body></html>'
        self._send(status, "text/html; charset=utf-8", page)

    def _send(self, status: int, kind: str, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_said: object) -> None:
        """Nothing is printed."""


@contextmanager
def served(provider: Provider) -> Iterator[Provider]:
    """The provider, answering on a free port until the end."""

    class Handler(_Handler):
        pass

    Handler.provider = provider
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
