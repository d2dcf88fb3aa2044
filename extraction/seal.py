"""Words of mails at rest: AES-256-GCM with the first key, opened with whichever key has sealed them.

What is sealed says with which key, so that a key can be looked up, counted and taken out of use. Nonces are random; a
key is good for 2³² values (NIST SP 800-38D, 8.3), some seventy million mails.
"""

import hashlib
import os
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Sequence
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from extraction.errors import IntakeError

MARK = b"sealed:1:"  # then the key's id, a colon, the nonce, what is sealed
PLAIN = b"plain:1:"  # before what is not sealed, and could be taken for it
NONCE_BYTES = 12
ID_CHARACTERS = 8
_MARKS = (MARK.decode(), PLAIN.decode())
_BEHIND_MARK = len(MARK) + ID_CHARACTERS + 1


class Unopened(IntakeError):
    """What is sealed cannot be opened: its key is not among ours, or it was changed since."""

    code = "mail_sealed"
    message = "This mail is encrypted with a key that this server does not have."
    retryable = True  # where the key is, or as soon as it is back

    def __init__(self, key_id: str) -> None:
        super().__init__()
        self.key_id = key_id


def key_bytes(key: str) -> bytes:
    """Of a key as the settings hold it: 32 bytes in URL-safe Base64. Raises `ValueError`."""
    raw = b64decode(key.encode(), b"-_", validate=True)
    if len(raw) != 32:
        raise ValueError("not 32 bytes")
    return raw


def key_id_of(sealed: bytes) -> str | None:
    """With which key it was sealed; None of what is plain."""
    if not sealed.startswith(MARK):
        return None
    return sealed[len(MARK) : len(MARK) + ID_CHARACTERS].decode("ascii", "replace")


class Seal:
    """`keys` are newest first; without any, nothing is sealed."""

    def __init__(self, keys: Sequence[str]) -> None:
        raw = [key_bytes(key) for key in keys]
        self._ciphers = {_id_of(key): AESGCM(key) for key in raw}
        self.ids = tuple(self._ciphers)

    @property
    def newest(self) -> str | None:
        return self.ids[0] if self.ids else None

    def seal(self, plain: bytes, place: str) -> bytes:
        """`place` is the column it belongs to: what is sealed opens nowhere else."""
        if not self.newest:
            return PLAIN + plain if plain.startswith((MARK, PLAIN)) else plain
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ciphers[self.newest].encrypt(nonce, plain, place.encode())
        return b"%s%s:%s%s" % (MARK, self.newest.encode(), nonce, sealed)

    def open(self, kept: bytes, place: str) -> bytes:
        """Also what was kept before there were keys. Raises `Unopened`."""
        key_id = key_id_of(kept)
        if key_id is None:
            return kept.removeprefix(PLAIN)
        nonce, sealed = kept[_BEHIND_MARK:][:NONCE_BYTES], kept[_BEHIND_MARK + NONCE_BYTES :]
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise Unopened(key_id)
        try:
            return cipher.decrypt(nonce, sealed, place.encode())
        except (InvalidTag, ValueError):  # ValueError: cut so short that there is no nonce
            raise Unopened(key_id) from None

    def seal_text(self, text: str, place: str) -> str:
        """The same for columns of text: behind its mark it is Base64."""
        kept = self.seal(text.encode(), place)
        if not kept.startswith(MARK):
            return kept.decode()
        return (kept[:_BEHIND_MARK] + urlsafe_b64encode(kept[_BEHIND_MARK:])).decode()

    def open_text(self, kept: str, place: str) -> str:
        """Raises `Unopened`."""
        if not kept.startswith(_MARKS):  # nearly every event while there are no keys
            return kept
        raw = kept.encode()
        if (key_id := key_id_of(raw)) is not None:
            try:
                raw = raw[:_BEHIND_MARK] + b64decode(raw[_BEHIND_MARK:], b"-_", validate=True)
            except ValueError:
                raise Unopened(key_id) from None
        return self.open(raw, place).decode()


def _id_of(key: bytes) -> str:
    """Tells keys apart, and says nothing of them."""
    return hashlib.sha256(b"well intake: id of a mail key" + key).hexdigest()[:ID_CHARACTERS]


@lru_cache(4)
def seal_with(keys: tuple[str, ...]) -> Seal:
    """One seal for all who use the same keys: it is asked for with each value."""
    return Seal(keys)
