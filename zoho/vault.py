"""Tokens at rest: sealed with the first key, opened with any. Putting a new key in front rotates them."""

import base64
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PURPOSE = b"well intake: tokens of zoho"


class Vault:
    def __init__(self, keys: Sequence[str], secret_key: str) -> None:
        """`keys` are Fernet's own. The one that follows from the installation's secret comes last: it seals when there
        are no others, and still opens what it has sealed when there are."""
        self._keys = MultiFernet([Fernet(key) for key in (*keys, _key_from(secret_key))])

    def seal(self, text: str) -> str:
        return self._keys.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str | None:
        """None when no key of ours has sealed it."""
        try:
            return self._keys.decrypt(sealed.encode()).decode()
        except InvalidToken:
            return None


def _key_from(secret_key: str) -> str:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(secret_key.encode())
    return base64.urlsafe_b64encode(derived).decode()
