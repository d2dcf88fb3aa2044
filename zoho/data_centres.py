"""Where Zoho lives. The only hosts that ever see a token of ours, unless the settings name others."""

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Addresses:
    """Two origins: of the accounts server, which gives tokens, and of the API, which takes them."""

    accounts: str
    api: str


def _of(domain: str, accounts: str | None = None) -> Addresses:
    return Addresses(f"https://accounts.{accounts or f'zoho.{domain}'}", f"https://www.zohoapis.{domain}")


DATA_CENTRES = {
    "com": _of("com"),
    "eu": _of("eu"),
    "in": _of("in"),
    "com.au": _of("com.au"),
    "jp": _of("jp"),
    "ca": _of("ca", accounts="zohocloud.ca"),
    "sa": _of("sa"),
    "com.cn": _of("com.cn"),
}


@dataclass(frozen=True)
class Whereabouts:
    """The data centre of the settings, and the addresses that they name instead, if any."""

    data_centre: str = "com"
    accounts_url: str | None = None
    api_url: str | None = None

    def addresses(self, accounts_server: str | None = None) -> Addresses:
        """Those of the data centre that `accounts_server` belongs to when it is known, else of the settings' own: Zoho
        sends users to theirs, and an address that it is said to have named is believed only from the list."""
        own = DATA_CENTRES[self.data_centre]
        known = next((found for found in DATA_CENTRES.values() if found.accounts == _origin(accounts_server)), own)
        return Addresses(self.accounts_url or known.accounts, self.api_url or known.api)

    def web_url(self) -> str:
        """Where people see the records."""
        return self.addresses().accounts.replace("//accounts.", "//crm.") + "/crm"

    def api_for(self, addresses: Addresses, api_domain: str | None) -> str:
        """The origin of the API, as Zoho names it with a token, as far as it is on the list."""
        named = _origin(api_domain)
        listed = named and any(found.api == named for found in DATA_CENTRES.values())
        return named if listed and not self.api_url else addresses.api


def data_centre_of(accounts_url: str) -> str | None:
    return next((name for name, found in DATA_CENTRES.items() if found.accounts == accounts_url), None)


def _origin(address: str | None) -> str:
    parts = urlsplit(address or "")
    return f"{parts.scheme}://{parts.netloc}"
