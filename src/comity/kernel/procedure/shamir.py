"""Shamir's secret sharing (1979) of 32 bytes, byte by byte over GF(2^8) modulo x^8 + x^4 + x^3 + x + 1 (FIPS 197 §4.2).

The secret is the value at 0 of a polynomial whose other coefficients are random; a share is its value at a place from 1
to 255 and is as long as the secret. With fewer shares than coefficients (the secret counted) every secret remains
possible. A wrong share gives a wrong secret without an error: whoever combines checks the outcome (`positions`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache


@lru_cache(maxsize=1)
def _tables() -> tuple[bytes, bytes]:
    """Powers of 3 and logarithms to base 3 in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1 (the field of FIPS 197)."""
    powers, logs, value = bytearray(510), bytearray(256), 1
    for exponent in range(255):
        powers[exponent] = powers[exponent + 255] = value
        logs[value] = exponent
        doubled = value << 1
        value ^= doubled ^ 0x11B if doubled & 0x100 else doubled
    return bytes(powers), bytes(logs)


def _times(one: int, other: int) -> int:
    powers, logs = _tables()
    return powers[logs[one] + logs[other]] if one and other else 0


def _over(one: int, other: int) -> int:
    powers, logs = _tables()
    return powers[logs[one] + 255 - logs[other]] if one else 0


def value_at(place: int, key: bytes, coefficients: Sequence[bytes]) -> bytes:
    """The value at `place` of key + c1·x + c2·x² + …, byte by byte (Horner).

    Args:
        place: 1 to 255 for a share; 0 gives the key.
        key: 32 bytes.
        coefficients: Random bytes of that length, one fewer than shares are to be needed.
    """
    value = bytes(len(key))
    for coefficient in reversed((key, *coefficients)):
        value = bytes(_times(byte, place) ^ more for byte, more in zip(value, coefficient, strict=True))
    return value


def interpolate(points: Sequence[tuple[int, bytes]], at: int) -> bytes:
    """The value at `at` of the polynomial of least degree through these points, (place, bytes); the places differ (Lagrange)."""
    total = bytes(len(points[0][1]))
    for place, value in points:
        weight = 1
        for other, _ in points:
            if other != place:
                weight = _times(weight, _over(at ^ other, place ^ other))
        total = bytes(sum_ ^ _times(byte, weight) for sum_, byte in zip(total, value, strict=True))
    return total
