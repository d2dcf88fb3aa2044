"""Whose word opens Zoho to us: the grant that an administrator gave in the admin, else that of the settings."""

from dataclasses import dataclass, field

from zoho.accounts import Grant
from zoho.data_centres import Whereabouts
from zoho.errors import ZohoNotConnected
from zoho.models import Connection
from zoho.vault import Vault


@dataclass(frozen=True)
class Grants:
    vault: Vault = field(repr=False)
    whereabouts: Whereabouts
    refresh_token: str | None = field(default=None, repr=False)
    """That of the settings."""

    def of(self, row: Connection) -> Grant | None:
        """None when nobody gave one. Raises `ZohoNotConnected` when the one in the row cannot be opened any more."""
        if not row.refresh_token:
            return Grant(self.refresh_token, self.whereabouts.addresses()) if self.refresh_token else None
        refresh_token = self.vault.open(row.refresh_token)
        if refresh_token is None:
            raise ZohoNotConnected(
                "The stored access to Zoho was sealed with a key that we no longer have. An administrator has to "
                "connect Zoho again in the admin, or to put the old key at the end of ZOHO_ENCRYPTION_KEYS."
            )
        return Grant(refresh_token, self.whereabouts.addresses(row.accounts_url))
