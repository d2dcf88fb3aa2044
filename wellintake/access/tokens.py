"""Signed tokens (PyJWT, HS256). The audience says what a token is for, so that none can be used for another purpose."""

import secrets
import time

import jwt

from streaming.addresses import TICKET_SECONDS, Kind
from streaming.azure.endpoint import CLIENT_SECONDS
from streaming.callers import Caller

SECONDS: dict[Kind, int] = {"bearer": 3600, "ticket": TICKET_SECONDS, "run": 900, "signalr": CLIENT_SECONDS}
# A bearer renews itself by negotiate, till this long after somebody showed a key or signed in.
SESSION_SECONDS = 12 * 3600


def token_for(caller: Caller, kind: Kind, secret: str, run_id: str | None = None) -> str:
    """A token that stands for the caller until it expires; kind `run` may only read that run."""
    now = int(time.time())
    until = caller.until or now + SESSION_SECONDS
    claims = {
        "aud": f"wellintake:{kind}",
        "exp": int(min(now + SECONDS[kind], until)),
        "jti": secrets.token_hex(16),
        "sub": caller.subject,
        "tenant": caller.tenant,
        "scope": " ".join(sorted(caller.scopes)),
        "until": until,
        "name": caller.name,
        "email": caller.email,
        "run": run_id,
    }
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, secret, algorithm="HS256")


def is_signed(token: str, secret: str) -> bool:
    """Whether it is one of ours, also when it is over or was made for something else."""
    try:
        jwt.decode(token, secret, algorithms=["HS256"], options={"verify_exp": False, "verify_aud": False})
    except jwt.InvalidTokenError:
        return False
    return True


def caller_of_token(token: str, kind: Kind, secret: str) -> tuple[Caller, str] | None:
    """The caller and the token's id; None when it is forged, expired or for something else."""
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            audience=f"wellintake:{kind}",
            options={"require": ["exp", "aud", "jti", "sub", "tenant", "scope", "until"]},
        )
    except jwt.InvalidTokenError:
        return None
    if kind == "run" and "run" not in claims:
        return None
    caller = Caller(
        subject=claims["sub"],
        tenant=claims["tenant"],
        name=claims.get("name"),
        email=claims.get("email"),
        scopes=frozenset(["read"] if kind == "run" else claims["scope"].split()),
        run_id=claims.get("run"),
        until=claims["until"],
    )
    return caller, claims["jti"]
