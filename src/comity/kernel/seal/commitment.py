"""Commitments to an object property by property, so that a redacted view of it still verifies.

The leaves of an object (docs/formats/seal.md):

    [[name], value]                             every top-level property that is no container
    [[name, "#"], length]                       a container, also an empty one
    [[name, index], element]                    each element of it; containers are ``*_refs``, ``labels``,
                                                ``external_references`` and ``kill_chain_phases``
    [["extensions", key], value]                each extension
    [["granular_markings", i, j], {…, "selector": s}]     entry i without its ``selectors``, selector j

A property of such a name whose value is not a list (an object, for ``extensions``) is no container. An entry of
``granular_markings`` without a list of selectors, or with a ``selector`` of its own, is one leaf
[["granular_markings", i], entry]. The extension by which a view speaks of itself is never a leaf. Nothing deeper.

    leaf   = SHA-256(0x00 ‖ "comity/leaf/1" ‖ salt ‖ JCS([path, value]))
    salt   = SHA-256("comity/salt/1" ‖ seed ‖ u32 place)[:16]      place counts from 0 in the order of the leaves
    digest = SHA-256(0x01 ‖ "comity/object/1" ‖ u32 n ‖ leaves)    sorted by the bytes of JCS(path); u32 is big-endian

A disclosure has one entry a leaf in that order, ``{path, salt}`` or ``{hash}`` in lower-case hex. Where nothing is
hidden it is the one entry ``{seed}`` instead. An opened ``#`` says that its container is whole: its value is the
length in the view, and all elements are opened. Where elements are hidden so is the length, and the k-th element of
the view is the k-th opened one.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, NamedTuple, NoReturn

import orjson

from comity.kernel.errors import ComityError, InputRefused, SealBroken, Usage
from comity.kernel.model.ids import minted
from comity.kernel.seal.canonical import canonical

Path = tuple[str | int, ...]
Disclosure = list[dict[str, Any]]

VIEW_EXTENSION: Final = minted("extension-definition", "comity-view")
"""The key under ``extensions`` by which a view says what it is; stripped before anything is hashed."""

_CONTAINERS: Final = frozenset(
    {"labels", "external_references", "kill_chain_phases", "granular_markings", "extensions"}
)
_LEAF: Final = b"\x00comity/leaf/1"
_SALT: Final = b"comity/salt/1"
_OBJECT: Final = b"\x01comity/object/1"
_PLACES: Final = tuple(place.to_bytes(4, "big") for place in range(1024))

_SHOWN: Final = {"path", "salt"}
_HIDDEN: Final = {"hash"}
_SHAPES: Final = frozenset({(str,), (str, str), (str, int), (str, int, int)})

_Leaf = tuple[bytes, Path, bytes]  # JCS(path), path, JCS(value)
_Read = tuple[Path | None, bytes | None, bytes]  # an entry as it came: path, salt, and b""; or None, None, hash


class Everything:
    """A container of every path: `disclosure(commitment, EVERYTHING)` hides nothing."""

    def __contains__(self, _path: object) -> bool:
        return True


EVERYTHING: Final = Everything()


class Entry(NamedTuple):
    """One leaf. `path` and `salt` are None where it came hidden; `here` is where it stands in the data at hand.

    `path` and `here` differ only for list elements of a view that lacks earlier ones.
    """

    path: Path | None
    salt: bytes | None
    hash: bytes
    here: Path | None


@dataclass(frozen=True, slots=True)
class Commitment:
    """The 32-byte digest of an object under one seed, with its leaves in their order.

    `seed` is None where some leaf came hidden. The seed opens every leaf: keep it as close as the object.
    """

    digest: bytes
    entries: tuple[Entry, ...] = field(repr=False)
    seed: bytes | None = field(repr=False)

    @property
    def hidden(self) -> int:
        """How many leaves came hidden."""
        return sum(entry.salt is None for entry in self.entries)


def is_container(name: str, value: object) -> bool:
    """Whether a top-level property is committed to element by element."""
    if name == "extensions":
        return isinstance(value, dict)
    return (name.endswith("_refs") or name in _CONTAINERS) and isinstance(value, list | tuple)


def strip(view: Mapping[str, Any]) -> dict[str, Any]:
    """The object without the extension by which a view speaks of itself; `extensions` goes too if nothing else was
    in it."""
    data = dict(view)
    extensions = data.get("extensions")
    if isinstance(extensions, dict) and VIEW_EXTENSION in extensions:
        others = {key: value for key, value in extensions.items() if key != VIEW_EXTENSION}
        if others:
            data["extensions"] = others
        else:
            del data["extensions"]
    return data


def paths(data: Mapping[str, Any]) -> tuple[Path, ...]:
    """The paths of all leaves of an object, in their order.

    Raises:
        InputRefused: `not-canonical`, `not-sealable`.
    """
    return tuple(path for _, path, _ in _leaves(data))


def commit(data: Mapping[str, Any], seed: bytes) -> Commitment:
    """Commit to every property of an object under 32 random bytes, fresh for every seal.

    Raises:
        Usage: `seed-size`.
        InputRefused: `not-canonical`; `not-sealable` for an extension named ``#`` (its path would be the length's).
    """
    _check_seed(seed)
    leaves = _leaves(data)
    salts = _salts(seed, len(leaves))
    hashes = _hashes(salts, leaves)
    paths = [path for _, path, _ in leaves]
    return Commitment(_digest(hashes), tuple(map(Entry, paths, salts, hashes, paths)), bytes(seed))


def disclosure(commitment: Commitment, shown: Container[Path]) -> Disclosure:
    """Open the leaves that stand at `shown` in the data at hand and hide the rest; JSON-ready.

    Gives ``[{"seed": …}]`` only where no leaf is hidden.
    """
    opened: Disclosure = []
    hidden = False
    for path, salt, leaf, here in commitment.entries:
        if path is not None and salt is not None and here in shown:
            opened.append({"path": list(path), "salt": salt.hex()})
        else:
            opened.append({"hash": leaf.hex()})
            hidden = True
    if not hidden and commitment.seed is not None:
        return [{"seed": commitment.seed.hex()}]
    return opened


def digest_of(view: Mapping[str, Any], disclosed: Sequence[Mapping[str, Any]]) -> bytes:
    """The 32-byte digest of the object of which `view` shows exactly what `disclosed` opens. Compare it with the
    seal's.

    Raises:
        SealBroken: `disclosure-malformed`; `view-not-opened` when the view holds more, less or something else.
    """
    seed = _whole(disclosed)
    if seed is None:
        return reopen(view, disclosed).digest
    try:
        leaves = _leaves(strip(view))
    except ComityError as broken:
        _refuse(broken)
    return _digest(_hashes(_salts(seed, len(leaves)), leaves))


def reopen(view: Mapping[str, Any], disclosed: Sequence[Mapping[str, Any]]) -> Commitment:
    """The commitment as one who got a view knows it: what a relay needs to hide more and pass it on.

    Raises:
        SealBroken: as `digest_of`. The digest is not yet compared with any seal.
    """
    seed = _whole(disclosed)
    try:
        data = strip(view)
        return (
            commit(data, seed) if seed is not None else _match(_leaves(data), [_read_entry(one) for one in disclosed])
        )
    except InputRefused as broken:
        _refuse(broken)


def _match(leaves: Sequence[_Leaf], read: Sequence[_Read]) -> Commitment:
    """Pair each opened entry with the one leaf of the view that it opens; every leaf has to be taken."""
    values = {path: value for _, path, value in leaves}
    here_of, steps_of = _places([path for path, _, _ in read if path is not None])
    entries: list[Entry] = []
    before = b""
    for path, salt, leaf in read:
        if path is None or salt is None:
            entries.append(Entry(None, None, leaf, None))
            continue
        path_bytes = _path_bytes(path)
        if path_bytes <= before:
            raise SealBroken(
                "disclosure-malformed", "The opened leaves are not in their order; ask for the disclosure again."
            )
        before = path_bytes
        here = here_of[path]
        value = values.pop(here, None)
        if value is None:
            raise SealBroken(
                "view-not-opened",
                f"The view lacks {_spoken(path)}, which its disclosure opens.",
                clause="docs/formats/view.md",
                path=list(path),
            )
        if len(path) == 2 and path[1] == "#":
            _check_whole(str(path[0]), int(value), steps_of.get(str(path[0]), set()))
        entries.append(Entry(path, salt, sha256(b"%b%b[%b,%b]" % (_LEAF, salt, path_bytes, value)).digest(), here))
    for path, value in values.items():
        # A container's length may stay hidden, unless it is empty: then nothing else would account for it.
        if len(path) != 2 or path[-1] != "#" or value == b"0":
            raise SealBroken(
                "view-not-opened",
                f"The view holds {_spoken(path)}, which its disclosure does not open.",
                clause="docs/formats/view.md",
                path=list(path),
            )
    return Commitment(_digest([entry.hash for entry in entries]), tuple(entries), None)


def _leaves(data: Mapping[str, Any]) -> list[_Leaf]:
    leaves: list[_Leaf] = []
    add = leaves.append
    try:
        for name, value in data.items():
            head, plain, path, listed = _named(name)
            if type(value) is str:
                add((plain, path, _text(value)))
            elif not listed or not is_container(name, value):
                add((plain, path, canonical(value)))
            elif name == "extensions":
                _add_extensions(add, head, value)
            else:
                add((head + b',"#"]', (name, "#"), b"%d" % len(value)))
                for index, element in enumerate(value):
                    if type(element) is str:
                        add((b"%b,%d]" % (head, index), (name, index), _text(element)))
                    elif name == "granular_markings":
                        _add_granular(add, head, index, element)
                    else:
                        add((b"%b,%d]" % (head, index), (name, index), canonical(element)))
    except TypeError as broken:
        raise InputRefused(
            "not-canonical", "A property has a name or a value that JSON text cannot hold.", clause="RFC 8785 §3.2"
        ) from broken
    leaves.sort()
    return leaves


def _add_extensions(add: Callable[[_Leaf], None], head: bytes, value: Mapping[str, Any]) -> None:
    kept = [key for key in value if key != VIEW_EXTENSION]
    if "#" in kept:
        raise InputRefused("not-sealable", "An extension is named '#'; name it by the id of its definition.")
    add((head + b',"#"]', ("extensions", "#"), b"%d" % len(kept)))
    for key in kept:
        add((b"%b,%b]" % (head, _key(key)), ("extensions", key), canonical(value[key])))


def _add_granular(add: Callable[[_Leaf], None], head: bytes, index: int, entry: object) -> None:
    selectors = entry.get("selectors") if isinstance(entry, dict) else None
    if isinstance(entry, dict) and isinstance(selectors, list | tuple) and selectors and "selector" not in entry:
        rest = {key: part for key, part in entry.items() if key != "selectors"}
        for place, selector in enumerate(selectors):
            rest["selector"] = selector
            add((b"%b,%d,%d]" % (head, index, place), ("granular_markings", index, place), canonical(rest)))
    else:
        add((b"%b,%d]" % (head, index), ("granular_markings", index), canonical(entry)))


@lru_cache(maxsize=4096)
def _named(name: str) -> tuple[bytes, bytes, Path, bool]:
    head = b"[" + _key(name)
    return head, head + b"]", (name,), name.endswith("_refs") or name in _CONTAINERS


def _key(name: str) -> bytes:
    if not isinstance(name, str):
        raise TypeError(name)
    return canonical(name)


_text = orjson.dumps  # for text alone orjson and RFC 8785 agree; a lone surrogate is a TypeError


def _salts(seed: bytes, count: int) -> list[bytes]:
    salted = _SALT + seed
    places = _PLACES[:count] if count <= len(_PLACES) else [place.to_bytes(4, "big") for place in range(count)]
    return [sha256(salted + place).digest()[:16] for place in places]


def _hashes(salts: Sequence[bytes], leaves: Sequence[_Leaf]) -> list[bytes]:
    return [
        sha256(b"%b%b[%b,%b]" % (_LEAF, salt, path, value)).digest()
        for salt, (path, _, value) in zip(salts, leaves, strict=True)
    ]


def _u32(number: int) -> bytes:
    return number.to_bytes(4, "big")


def _digest(leaves: list[bytes]) -> bytes:
    return sha256(_OBJECT + _u32(len(leaves)) + b"".join(leaves)).digest()


def _check_seed(seed: bytes) -> None:
    if len(seed) != 32:
        raise Usage("seed-size", "A commitment needs a seed of 32 random bytes.")


def _whole(disclosed: Sequence[Mapping[str, Any]]) -> bytes | None:
    """The seed of a disclosure that hides nothing, or None."""
    if not isinstance(disclosed, list | tuple) or not disclosed:
        raise SealBroken(
            "disclosure-malformed", "A disclosure is a list with one entry a leaf; ask the sender for it again."
        )
    first = disclosed[0]
    if len(disclosed) == 1 and isinstance(first, dict) and "seed" in first:
        if len(first) == 1:
            return _hex(first["seed"], 32)
        raise SealBroken("disclosure-malformed", "A seed stands alone in a disclosure; ask the sender for it again.")
    return None


def _read_entry(entry: object) -> _Read:
    if isinstance(entry, dict):
        if entry.keys() == _HIDDEN:
            return None, None, _hex(entry["hash"], 32)
        if entry.keys() == _SHOWN:
            path = entry["path"]
            if isinstance(path, list | tuple) and tuple(map(type, path)) in _SHAPES and not _negative(path):
                return tuple(path), _hex(entry["salt"], 16), b""
    raise SealBroken(
        "disclosure-malformed", "An entry of a disclosure is neither {path, salt} nor {hash}; ask for it again."
    )


def _negative(path: Sequence[Any]) -> bool:
    return any(type(step) is int and step < 0 for step in path)


def _path_bytes(path: Path) -> bytes:
    head = _named(str(path[0]))[0]
    return b"%b%b]" % (
        head,
        b"".join(b",%d" % step if type(step) is int else b"," + _key(str(step)) for step in path[1:]),
    )


def _hex(text: object, size: int) -> bytes:
    try:
        raw = bytes.fromhex(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raw = b""
    if len(raw) != size or raw.hex() != text:
        raise SealBroken(
            "disclosure-malformed",
            f"A disclosure holds something else than {size} bytes in lower-case hex; ask for it again.",
        )
    return raw


def _places(opened: Sequence[Path]) -> tuple[dict[Path, Path], dict[str, set[str | int]]]:
    """Where each opened leaf stands in the view, and which first steps are opened of each container.

    The elements of a list stand in the order of their index, without gaps.
    """
    here = {path: path for path in opened}
    steps: dict[str, set[str | int]] = {}
    elements: list[Path] = []
    for path in opened:
        if len(path) > 1 and path[1] != "#":
            steps.setdefault(str(path[0]), set()).add(path[1])
            if type(path[1]) is int:
                elements.append(path)
    last: Path = ()
    rank = below = 0
    for path in sorted(elements):
        same_list = last[:1] == path[:1]
        if not same_list or last[:2] != path[:2]:
            rank, below = rank + 1 if same_list else 0, 0
        here[path] = (path[0], rank) if len(path) == 2 else (path[0], rank, below)
        below += 1
        last = path
    return here, steps


def _check_whole(name: str, length: int, steps: set[str | int]) -> None:
    if len(steps) != length or (name != "extensions" and steps != set(range(length))):
        raise SealBroken(
            "view-not-opened",
            f"The disclosure says that {name} is whole, but not all of it is opened.",
            clause="docs/formats/view.md",
        )


def _spoken(path: Path) -> str:
    if path[-1] == "#" and len(path) == 2:
        return f"the whole of {path[0]}"
    return ".".join(f"[{step}]" if type(step) is int else str(step) for step in path)


def _refuse(broken: ComityError) -> NoReturn:
    raise SealBroken("view-not-opened", f"The view cannot be read property by property: {broken.sentence}") from broken
