"""From which address a call comes: the peer's, or what proxies that we trust say of it."""

import ipaddress
from collections.abc import Iterable

UNKNOWN = "unknown"
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Proxies:
    """`networks` are those of our own proxies, as CIDR: only what they say in `X-Forwarded-For` is believed."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = [ipaddress.ip_network(network) for network in networks]

    def client_of(self, peer: str | None, forwarded: str = "") -> str:
        """The client's address, of IPv6 its /64, which is one household's. It is, from the right, the first hop that is
        none of our proxies: whatever stands to the left of it, the client may have written itself."""
        client = None
        for hop in (peer or "", *reversed(forwarded.split(","))):
            if (address := _parsed(hop.strip())) is None:
                break
            client = address
            if not any(address in network for network in self._networks):
                break
        if isinstance(client, ipaddress.IPv6Address):
            return str(ipaddress.ip_network((client, 64), strict=False))
        return str(client or UNKNOWN)


def _parsed(hop: str) -> Address | None:
    """`203.0.113.9`, `203.0.113.9:4711`, `2001:db8::1`, `[2001:db8::1]:4711`."""
    for text in (hop, hop.rpartition(":")[0].strip("[]")):
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            continue
        return getattr(address, "ipv4_mapped", None) or address
    return None
