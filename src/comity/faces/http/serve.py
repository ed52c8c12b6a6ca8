"""The server: granian inside our own process, the timer and the alarm beside it, until it is told to stop.

One process: when it is killed, none is left. A server that others can reach needs a certificate. SIGTERM and SIGINT end it in
order: no new requests, those under way are answered, the timer is waited for.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, TypeVar

from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from comity.kernel.errors import ComityError, LocalFault, NotAllowed, Unavailable

R = TypeVar("R")

LOG: Final = logging.getLogger("comity.serve")

READY_EVERY: Final = 0.02
"""Seconds between two looks whether the server answers."""

PATIENCE: Final = 10
"""Seconds that requests under way are given at the end."""

LOOK: Final = 0.5
"""Seconds between two looks at the next appointed instant, which an officer may set or take back meanwhile."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """What is to be done at an appointed instant, and not only when the timer comes round.

    Args:
        due: Gives the seconds until the next appointed instant, negative where it is over; None where there is none.
        strike: Does what is due, in a thread of its own; its errors are logged.
    """

    due: Callable[[], float | None]
    strike: Callable[[], object]


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what is bound to a host name or address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def check_binding(host: str, ssl_cert: Path | None, ssl_key: Path | None) -> None:
    """Return if a server may be bound there.

    Raises:
        NotAllowed: `tls-required`.
    """
    if (ssl_cert is None or ssl_key is None) and not is_loopback(host):
        raise NotAllowed(
            "tls-required",
            f"Others can reach {host}, and this node has no certificate: name its https address with comity card set --url, "
            "or bind to 127.0.0.1.",
            host=host,
        )


def serve(
    app: Any,
    host: str,
    port: int,
    *,
    ssl_cert: Path | None = None,
    ssl_key: Path | None = None,
    tick: Callable[[], object],
    every: float,
    alarm: Alarm | None = None,
    announce: Callable[[str], None] = print,
) -> None:
    """Serve an ASGI application until SIGTERM or SIGINT.

    Args:
        tick: What the timer does, in a thread of its own; its errors are logged and it is called again.
        every: Seconds between two calls of `tick`; the first comes at once.
        alarm: What is done at appointed instants.
        announce: Is told the address once connections are taken.

    Raises:
        NotAllowed: `tls-required`. Unavailable: `address-in-use` when the address cannot be bound.
    """
    check_binding(host, ssl_cert, ssl_key)
    host = "127.0.0.1" if host == "localhost" else host
    _check_free(host, port)
    asyncio.run(_serve(app, host, port, ssl_cert, ssl_key, tick, every, alarm, announce))


async def _serve(
    app: Any,
    host: str,
    port: int,
    ssl_cert: Path | None,
    ssl_key: Path | None,
    tick: Callable[[], object],
    every: float,
    alarm: Alarm | None,
    announce: Callable[[str], None],
) -> None:
    server = Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
        ssl_cert=ssl_cert,
        ssl_key=ssl_key,
    )
    server.workers_kill_timeout = PATIENCE
    scheme = "http" if ssl_cert is None else "https"
    shown = f"[{host}]" if ":" in host else host
    _stop_on_signals(server)
    beside = [
        asyncio.create_task(_timer(tick, every)),
        *([] if alarm is None else [asyncio.create_task(_strikes(alarm))]),
        asyncio.create_task(_ready(host, port, lambda: announce(f"{scheme}://{shown}:{port}"))),
    ]
    try:
        await server.serve()
    except TimeoutError:
        LOG.warning("what was still under way %s seconds after the end was asked for is cut off", PATIENCE)
        # the worker that is not waited for any more reports its end to nobody
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)


def _check_free(host: str, port: int) -> None:
    """Return if the address can be bound; the server itself would only end without a word.

    Raises:
        Unavailable: `address-in-use`.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as broken:
        why = broken.strerror or str(broken)
        raise Unavailable(
            "address-in-use", f"{host} port {port} cannot be bound: {why}; choose another with --port.", port=port
        ) from broken


async def _ready(host: str, port: int, tell: Callable[[], None]) -> None:
    """Tell once a connection is taken."""
    while True:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(READY_EVERY)
            continue
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        tell()
        return


def _stop_on_signals(server: Server) -> None:
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)


async def _timer(tick: Callable[[], object], every: float) -> None:
    while True:
        await _done(tick, "the timer failed")
        await asyncio.sleep(every)


async def _strikes(alarm: Alarm) -> None:
    """Strike at each appointed instant; a strike after which the same is still due is tried again at the next look."""
    while True:
        left = await _done(alarm.due, "the next appointed instant cannot be read")
        if left is None or left > LOOK:
            await asyncio.sleep(LOOK)
        elif left > 0:
            await asyncio.sleep(left)
        else:
            await _done(alarm.strike, "what was appointed failed")
            left = await _done(alarm.due, "the next appointed instant cannot be read")
            await asyncio.sleep(LOOK if left is None or left <= 0 else min(left, LOOK))


async def _done(work: Callable[[], R], failed: str) -> R | None:
    """What a deed in a thread gives; None where it failed, which is logged."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        with suppress(Exception):
            await task  # a deed under way is finished, not cut off
        raise
    except ComityError as broken:
        level = logging.WARNING if isinstance(broken, Unavailable | LocalFault) else logging.ERROR
        LOG.log(level, "%s: %s", broken.code, broken.sentence)
    except Exception:
        LOG.exception(failed)
    return None
