"""Which addresses a webhook may reach: those of the open internet, and networks that the house allows by name."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_CLOSED_4 = tuple(
    IPv4Network(each)
    for each in (
        "0.0.0.0/8",  # this network (RFC 791)
        "10.0.0.0/8",  # private (RFC 1918)
        "100.64.0.0/10",  # behind a carrier's translator (RFC 6598)
        "127.0.0.0/8",  # this machine
        "168.63.129.16/32",  # public by number, but Azure answers there with a machine's own secrets
        "169.254.0.0/16",  # link-local (RFC 3927); clouds answer there with a machine's own secrets
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments (RFC 6890)
        "192.0.2.0/24",  # examples (RFC 5737)
        "192.88.99.0/24",  # the former 6to4 relays (RFC 7526)
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # measuring devices (RFC 2544)
        "198.51.100.0/24",  # examples
        "203.0.113.0/24",  # examples
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_OPEN_6 = IPv6Network("2000::/3")
"""The only part of IPv6 that is given out for the open internet (RFC 4291)."""
_CLOSED_6 = tuple(
    IPv6Network(each)
    for each in (
        "2001::/23",  # protocol assignments; Teredo and others that carry an IPv4 address inside
        "2001:db8::/32",  # examples (RFC 3849)
        "2002::/16",  # 6to4: an IPv4 address inside, and no relays any more (RFC 7526)
        "3fff::/20",  # examples (RFC 9637)
    )
)
_TRANSLATED = IPv6Network("64:ff9b::/96")
"""IPv4 addresses as networks without IPv4 write them (RFC 6052)."""


def networks_of(text: str) -> tuple[Network, ...]:
    """The networks of a list such as `10.1.0.0/16, fd00:1::/64`; none for an empty text."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def read_address(text: str) -> Address:
    """The address, its IPv4 form where it is only wrapped into IPv6. Raises ValueError for what is none."""
    found = ip_address(text)
    if isinstance(found, IPv4Address):
        return found
    if found.ipv4_mapped is not None:
        return found.ipv4_mapped
    if found.scope_id is None and found in _TRANSLATED:
        return IPv4Address(int(found) & 0xFFFF_FFFF)
    return found


def is_inside(address: Address, inside: Sequence[Network]) -> bool:
    """Whether the house allows this address by name."""
    return any(address in network for network in inside)


def may_be_reached(address: Address, inside: Sequence[Network]) -> bool:
    """Whether a webhook may reach this address: it is of the open internet, or allowed by name."""
    return is_inside(address, inside) or _is_open(address)


def _is_open(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _CLOSED_4)
    if address.scope_id is not None or address not in _OPEN_6:
        return False
    return not any(address in network for network in _CLOSED_6)
