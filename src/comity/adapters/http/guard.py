"""Which addresses a node calls: checked on the address that is really connected to, after the name was resolved.

A peer's name comes from its card, and a name may lead anywhere, also somewhere else at the second look. So a name is
resolved once, each address is judged by `judge`, and the connection goes to a judged address and not to the name;
what the socket is connected to is judged once more. Rules:

- never called: unspecified, multicast, broadcast, link-local (cloud metadata lives there), documentation, benchmark and
  reserved ranges, and ranges that carry another address inside (6to4, Teredo, NAT64), whatever they carry;
- called only where the officer allows it for this peer: loopback and private networks;
- an IPv4 address mapped into IPv6 is judged as the IPv4 address it is;
- everything else is called.

Source: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890); docs/formats/exchange.md, Carriers.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

import httpcore

from comity.kernel.errors import NotAllowed, Unavailable

Address = IPv4Address | IPv6Address
Resolver = Callable[[str, int], "list[str]"]
"""Gives the addresses of a host name for a port, as text; raises OSError where there are none."""


def _networks(*texts: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(text) for text in texts)


NEVER: Final = _networks(
    "0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    "::/128", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23", "2001:db8::/32",
    "2002::/16", "3fff::/20", "5f00::/16", "fe80::/10", "fec0::/10", "ff00::/8",
)  # fmt: skip
"""Never called, for no peer. ``::1`` stands in ``::/96`` and is taken out by PRIVATE, which is looked at first."""

PRIVATE: Final = _networks(
    "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"
)
"""Called where the officer allows it for a peer: loopback, private and shared networks."""

_IPV6_GLOBAL: Final = ip_network("2000::/3")


def judge(address: str, *, allow_private: bool) -> Address:
    """Return the address if it may be called.

    Args:
        address: An IPv4 or IPv6 address as a resolver or a socket gives it, with or without a zone.
        allow_private: The officer allows private and loopback addresses for this peer.

    Raises:
        NotAllowed: `address-refused`.
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError as broken:
        raise NotAllowed(
            "address-refused", f"{address[:80]!r} is not an IP address; correct the peer's card."
        ) from broken
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if any(found in network for network in PRIVATE):
        if allow_private:
            return found
        raise NotAllowed(
            "address-refused",
            f"{found} is private or of this machine; allow private addresses for this peer if that is meant.",
            address=str(found),
        )
    if any(found in network for network in NEVER) or (isinstance(found, IPv6Address) and found not in _IPV6_GLOBAL):
        raise NotAllowed(
            "address-refused", f"{found} is an address that no peer can have; correct its card.", address=str(found)
        )
    return found


def is_loopback(host: str) -> bool:
    """True for ``localhost`` and for a loopback address in its usual spelling."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def resolve(host: str, port: int) -> list[str]:
    """The addresses the system's resolver gives, in its order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedBackend(httpcore.SyncBackend):
    """Opens connections to judged addresses only.

    Args:
        allow_private: As for `judge`.
        resolver: Gives the addresses of a name; the system's by default.
    """

    def __init__(self, *, allow_private: bool, resolver: Resolver = resolve) -> None:
        super().__init__()
        self._allow_private = allow_private
        self._resolver = resolver

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first judged address of the host that answers.

        Raises:
            NotAllowed: `address-refused` where an address of the name may not be called and none that may answers.
            Unavailable: `peer-unreachable` where the name has no address.
            httpcore.ConnectError, httpcore.ConnectTimeout: where no address answers.
        """
        try:
            addresses = self._resolver(host, port)
        except (OSError, UnicodeError) as broken:
            raise Unavailable(
                "peer-unreachable", f"The name {host} has no address at present; it will be tried again."
            ) from broken
        refused: NotAllowed | None = None
        silent: Exception | None = None
        for address in addresses:
            try:
                judged = str(judge(address, allow_private=self._allow_private))
                stream = super().connect_tcp(judged, port, timeout, local_address, socket_options)
            except NotAllowed as fault:
                refused = refused or fault
                continue
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as fault:
                silent = fault
                continue
            try:
                judge(str(stream.get_extra_info("server_addr")[0]), allow_private=self._allow_private)
            except NotAllowed:
                stream.close()
                raise
            return stream
        if refused is not None:
            raise refused
        raise silent or Unavailable(
            "peer-unreachable", f"The name {host} has no address at present; it will be tried again."
        )

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None
    ) -> httpcore.NetworkStream:
        """Never: no peer is a file."""
        raise NotAllowed("address-refused", "A peer is not reached through a file; correct its address.")
