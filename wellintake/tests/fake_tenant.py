"""A Microsoft Entra tenant as far as it concerns us: an openid configuration, signing keys, access tokens, and people
who sign in with a code. Real RSA."""

import base64
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

TENANT = "11111111-2222-4333-8444-555555555555"
CLIENT_SECRET = "secret-of-the-application"
CLIENT = "99999999-8888-4777-8666-555555555555"


class FakeTenant:
    """`with FakeTenant() as tenant:` serves it on loopback. `asked` counts the addresses that were fetched."""

    def __init__(self):
        self.asked = []
        self.is_away = False
        self.issuer_told = None
        self.codes = {}
        self._keys = {}
        self.rotate("first")

    def __enter__(self):
        tenant = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                tenant.asked.append(self.path)
                body = json.dumps(tenant.answer(self.path)).encode()
                self.send_response(503 if tenant.is_away else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                tenant.asked.append(self.path)
                form = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status, answer = tenant.redeem(dict(parse_qsl(form)), self.headers.get("Authorization", ""))
                body = json.dumps(answer).encode()
                self.send_response(503 if tenant.is_away else status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *given):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.authority = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._server.server_close()

    @property
    def issuer(self):
        return f"{self.authority}/{TENANT}/v2.0"

    def rotate(self, kid):
        """A new signing key; the last one is withdrawn."""
        self.kid = kid
        self._keys = {kid: rsa.generate_private_key(public_exponent=65537, key_size=2048)}

    def answer(self, path):
        if path == f"/{TENANT}/v2.0/.well-known/openid-configuration":
            return {
                "issuer": self.issuer_told or self.issuer,
                "jwks_uri": f"{self.authority}/{TENANT}/keys",
                "authorization_endpoint": f"{self.authority}/{TENANT}/oauth2/v2.0/authorize",
                "token_endpoint": f"{self.authority}/{TENANT}/oauth2/v2.0/token",
                "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],  # ours is to choose
            }
        keys = [
            RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": kid, "use": "sig"}
            for kid, key in self._keys.items()
        ]
        return {"keys": keys}

    def sign_in(self, address, **claims):
        """Ann signs in at this address; where the browser is sent then. `claims` change her id token, as `token` does;
        `id_token` may be one that is made otherwise."""
        asked = dict(parse_qsl(urlsplit(address).query))
        assert (asked["response_type"], asked["code_challenge_method"], asked["client_id"]) == ("code", "S256", CLIENT)
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked, claims
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def redeem(self, form, authorization):
        """A code for tokens, once, for who holds the verifier and the secret."""
        asked, claims = self.codes.pop(form.get("code"), (None, None))
        secret = base64.b64decode(authorization.removeprefix("Basic ")).decode() if authorization else ""
        challenge = _base64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if not (
            asked
            and challenge == asked["code_challenge"]
            and form["redirect_uri"] == asked["redirect_uri"]
            and secret == f"{CLIENT}:{CLIENT_SECRET}"
        ):
            return 400, {"error": "invalid_grant"}
        given = {"scp": None, "nonce": asked["nonce"], "sub": "pairwise"} | claims
        id_token = given.pop("id_token", None) or self.token(**given)
        return 200, {"token_type": "Bearer", "expires_in": 3600, "access_token": "opaque", "id_token": id_token}

    def token(self, kid=None, key=None, algorithm="RS256", **claims):
        """An access token of Ann; a claim of None is left out."""
        now = int(time.time())
        whole = {
            "iss": self.issuer,
            "aud": CLIENT,
            "tid": TENANT,
            "oid": "ann",
            "scp": "access_as_user",
            "ver": "2.0",
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "name": "Ann Lee",
            "preferred_username": "ann@firm.example",
        } | claims
        whole = {name: value for name, value in whole.items() if value is not None}
        key = None if algorithm == "none" else key or self._keys[self.kid]
        return jwt.encode(whole, key, algorithm, headers={"kid": kid or self.kid})

    def token_signed_with_the_public_key(self):
        """HMAC with what everybody knows: the classic confusion. PyJWT refuses to make it, so it is made by hand."""
        import hmac

        from cryptography.hazmat.primitives import serialization

        public = self._keys[self.kid].public_key()
        pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        payload = self.token().split(".")[1]
        header = _base64(json.dumps({"alg": "HS256", "kid": self.kid, "typ": "JWT"}).encode())
        signature = hmac.new(pem, f"{header}.{payload}".encode(), hashlib.sha256).digest()
        return f"{header}.{payload}.{_base64(signature)}"


def _base64(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
