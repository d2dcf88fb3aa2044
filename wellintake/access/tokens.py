"""Signed tokens (PyJWT, HS256). The audience says what a token is for, so that none can be used for another purpose."""

import secrets
import time

import jwt

from streaming.addresses import TICKET_SECONDS, Kind
from streaming.azure.endpoint import CLIENT_SECONDS
from streaming.callers import Caller

SECONDS: dict[Kind, int] = {"bearer": 3600, "ticket": TICKET_SECONDS, "run": 900, "signalr": CLIENT_SECONDS}


def token_for(caller: Caller, kind: Kind, secret: str, run_id: str | None = None) -> str:
    """A token that stands for the caller until it expires; kind `run` may only read that run."""
    claims = {
        "aud": f"wellintake:{kind}",
        "exp": int(time.time()) + SECONDS[kind],
        "jti": secrets.token_hex(16),
        "sub": caller.subject,
        "tenant": caller.tenant,
        "name": caller.name,
        "email": caller.email,
        "run": run_id,
    }
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, secret, algorithm="HS256")


def caller_of_token(token: str, kind: Kind, secret: str) -> tuple[Caller, str] | None:
    """The caller and the token's id; None when it is forged, expired or for something else."""
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            audience=f"wellintake:{kind}",
            options={"require": ["exp", "aud", "jti", "sub", "tenant"]},
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
        run_id=claims.get("run"),
    )
    return caller, claims["jti"]
