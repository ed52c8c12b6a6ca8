"""Which addresses are called: the table, and names that lead somewhere else at the second look."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import httpcore
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.adapters.http.guard import GuardedBackend, is_loopback, judge
from comity.kernel.errors import NotAllowed, Unavailable

ALWAYS_REFUSED = [
    "0.0.0.0", "0.1.2.3", "169.254.169.254", "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.7",
    "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::127.0.0.1", "::ffff:169.254.169.254", "::ffff:0.0.0.0", "64:ff9b::7f00:1", "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1", "2001::1", "2001:0:7f00:1::", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1", "5f00::1",
    "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "4000::1", "::ffff:0:7f00:1",
    "2130706433", "0x7f000001", "017700000001", "127.1", "localhost", "", "256.1.1.1",
]  # fmt: skip
PRIVATE = [
    "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.5.4", "172.31.255.255", "192.168.1.1", "100.64.0.1",
    "::1", "fc00::1", "fd12:3456::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
]  # fmt: skip
CALLED = ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2a00:1450::1", "2606:4700::1", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", ALWAYS_REFUSED)
@pytest.mark.parametrize("allow_private", [True, False])
def test_address_no_peer_can_have_is_refused(address: str, allow_private: bool) -> None:
    with pytest.raises(NotAllowed) as refused:
        judge(address, allow_private=allow_private)
    assert refused.value.code == "address-refused"


@pytest.mark.parametrize("address", PRIVATE)
def test_private_address_is_called_only_where_it_is_allowed(address: str) -> None:
    judge(address, allow_private=True)
    with pytest.raises(NotAllowed):
        judge(address, allow_private=False)


@pytest.mark.parametrize("address", CALLED)
def test_public_address_is_called(address: str) -> None:
    judge(address, allow_private=False)


@given(st.ip_addresses())
@settings(max_examples=300, deadline=None)
def test_no_address_outside_the_public_ones_is_ever_called(address: object) -> None:
    try:
        found = judge(str(address), allow_private=False)
    except NotAllowed:
        return
    assert found.is_global
    assert not found.is_multicast


def test_only_this_machine_is_loopback() -> None:
    assert is_loopback("localhost")
    assert is_loopback("127.0.0.9")
    assert is_loopback("[::1]")
    assert not is_loopback("127.0.0.1.example.org")
    assert not is_loopback("2130706433")


@pytest.fixture
def listener() -> Iterator[tuple[int, list[str]]]:
    """A socket on loopback and the list of those who connected."""
    server = socket.create_server(("127.0.0.1", 0))
    seen: list[str] = []

    def accept() -> None:
        while True:
            try:
                one, who = server.accept()
            except OSError:
                return
            seen.append(who[0])
            one.close()

    thread = threading.Thread(target=accept)
    thread.start()
    yield server.getsockname()[1], seen
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "2130706433", "127.1", "0x7f.1", "::ffff:127.0.0.1"])
def test_name_that_leads_to_this_machine_is_not_connected_to(name: str, listener: tuple[int, list[str]]) -> None:
    port, seen = listener
    with pytest.raises((NotAllowed, Unavailable)):
        GuardedBackend(allow_private=False).connect_tcp(name, port, 2.0)
    assert seen == []


def test_flipping_name_is_looked_up_once_and_the_judged_address_is_the_one_connected_to(
    listener: tuple[int, list[str]],
) -> None:
    port, seen = listener
    answers = iter([["169.254.169.254"], ["127.0.0.1"]])
    backend = GuardedBackend(allow_private=True, resolver=lambda host, at: next(answers))
    with pytest.raises(NotAllowed):
        backend.connect_tcp("peer.example", port, 2.0)
    assert seen == []
    backend.connect_tcp("peer.example", port, 2.0).close()
    with pytest.raises(StopIteration):
        next(answers)


def test_name_with_a_good_and_a_bad_address_is_reached_by_the_good_one(listener: tuple[int, list[str]]) -> None:
    port, _ = listener
    backend = GuardedBackend(allow_private=True, resolver=lambda host, at: ["169.254.169.254", "127.0.0.1"])
    stream = backend.connect_tcp("peer.example", port, 2.0)
    assert stream.get_extra_info("server_addr")[0] == "127.0.0.1"
    stream.close()


def test_name_without_address_is_tried_again_later() -> None:
    def nothing(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(Unavailable):
        GuardedBackend(allow_private=False, resolver=nothing).connect_tcp("peer.example", 443, 2.0)
    with pytest.raises(Unavailable):
        GuardedBackend(allow_private=False, resolver=lambda host, port: []).connect_tcp("peer.example", 443, 2.0)


def test_closed_port_is_silence_and_files_are_never_peers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(httpcore.ConnectError):
        GuardedBackend(allow_private=True).connect_tcp("127.0.0.1", port, 2.0)
    with pytest.raises(NotAllowed):
        GuardedBackend(allow_private=True).connect_unix_socket("/run/x.sock")
