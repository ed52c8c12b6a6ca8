"""Random histories of a few parties: agreements, imports, handling, words of officers, syncs, losses, time; played on real nodes.

A history is data, so that the same one can be played twice, with some objects left out, on either store. Party B is the reader
whose answers are looked at; A and C hold; D may join late. What is drawn is small and close together: few ids, so that versions,
rivals, holdings from several sides, dangling references and cycles meet often.

`play` keeps every byte that each party was sent (`Played.heard`).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from typing import Any

import msgspec
from hypothesis import strategies as st

from comity.kernel.errors import ComityError, NotAllowed, NotFound, Unavailable
from comity.kernel.model.instants import DAY, HOUR, MINUTE, Instant, format
from comity.kernel.release.handling import Handling
from comity.kernel.store.memory import MemoryStore
from comity.kernel.store.ports import Store
from comity.kernel.store.rows import AgreementRow, Reader, Version
from comity.node.contact import converse
from comity.node.deeds import deed
from comity.node.handling import set_handling
from comity.node.instruments import accede, admit, expel, receive, suspend, withdraw
from comity.node.intake import take_in
from comity.node.release import _referred, approve
from comity.node.streams import world_for
from comity.node.submissions import submit
from comity.node.taxii import INBOX
from simulators.world import START, Direct, Raw, World

NAMES = ("Team A", "Team B", "Team C", "Team D")
A, B, C, D = NAMES
TLP_REFS = {
    "clear": "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    "green": "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "amber": "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    "red": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}


VENDOR = "identity--00000000-0000-4000-8000-0000000000ee"
"""Who made some of the things: no party, so whoever takes one in can hide from whom it has it."""


# --- what happens, as data


@dataclass(frozen=True)
class Clause:
    """One clause of a random agreement."""

    says: str
    sender: tuple[str, ...]
    to: tuple[str, ...]
    types: tuple[str, ...]
    tlp: tuple[str, ...]
    view: str = "full"
    onward: str = "none"
    officers: int = 1
    caveats: tuple[str, ...] = ()
    not_before: int | None = None
    source: str = "named"


@dataclass(frozen=True)
class Pact:
    """A random agreement between some of the parties."""

    members: tuple[str, ...]
    clauses: tuple[Clause, ...]
    grows: bool = False

    def text(self, world: World, at: Instant, *, previous: str | None = None) -> str:
        """The file."""
        refs = {name: name.lower().replace(" ", "-") for name in NAMES}

        def listed(words: tuple[str, ...]) -> str:
            return "[" + ", ".join(f'"{refs.get(word, word)}"' for word in words) + "]"

        title = "Pact of " + " and ".join(self.members)
        lines = ["form = 1", f'title = {{en = "{title}"}}', 'language = ["en"]', 'phrases = "comity-phrases/1"']
        if previous is not None:
            lines.append(f'previous = "{previous}"')
        for name in self.members:
            lines += ["[[party]]", f'ref = "{refs[name]}"', f'name = "{name}"', f'id = "{world.nodes[name].party}"']
        lines += ["[[group]]", 'ref = "members"', f"members = {listed(self.members)}"]
        if self.grows:
            lines.append('grows_by = "accession"')
        lines += [
            "[life]",
            f"enters_into_force = {format(at).replace('.000Z', 'Z')}",
            'signatures = "all"',
            'threshold = "all"',
            *(['accession = {kinds = ["csirt"], group = "members", consent = "all"}'] if self.grows else []),
            'withdrawal_notice = "P1D"',
            'after_end = "keep under the same conditions"',
            f'depositary = "{refs[self.members[0]]}"',
            f"succession = {listed(self.members[1:])}",
            'lease = "PT24H"',
            'silence = {rule = "refusal", except = ["reservation"]}',
            'law = {en = "No obligation under international law is intended."}',
            "[[view]]",
            'name = "without-victim"',
            'remove = ["description", "labels", "external_references"]',
        ]
        for number, clause in enumerate(self.clauses, 1):
            lines += ["[[clause]]", f'number = "{number}"', f'says = "{clause.says}"']
            lines += [f"from = {listed(clause.sender)}", f"to = {listed(clause.to)}"]
            if clause.types:
                lines.append(f"types = {listed(clause.types)}")
            lines.append(f"tlp = {listed(clause.tlp)}")
            if clause.caveats:
                lines.append(f"caveats = {listed(clause.caveats)}")
            if clause.says == "refer":
                lines += ['question = {en = "May it go?"}', f"officers = {clause.officers}"]
            if clause.says != "prohibit":
                lines += [f'view = "{clause.view}"', 'purpose = ["protect-networks"]', 'basis = ["agreement"]']
                lines += [f'onward = "{clause.onward}"', 'retention = "P1Y"', f'source = "{clause.source}"']
                if clause.not_before is not None:
                    lines.append(f"not_before = {format(START + clause.not_before * HOUR).replace('.000Z', 'Z')}")
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Thing:
    """One copy of one version of an object, as a source writes it."""

    kind: str
    number: int
    refs: tuple[str, ...] = ()
    version: int = 0
    rival: int = 0
    marking: str | None = None
    granular: str | None = None
    spaces: bool = False
    creator: str | None = None

    @property
    def id(self) -> str:
        """Its STIX id."""
        return identity(self.kind, self.number)

    def data(self) -> dict[str, Any]:
        """The object."""
        name = f"{self.kind} {self.number}" + (f" rival {self.rival}" if self.rival else "")
        shape: dict[str, Any] = {
            "type": self.kind,
            "spec_version": "2.1",
            "id": self.id,
            "created": "2021-03-02T00:00:00.000Z",
            "modified": f"2021-03-02T0{self.version}:00:00.000Z",
        }
        if self.kind == "indicator":
            shape |= {
                "name": name,
                "description": f"Seen at victim {self.number}",
                "pattern": f"[ipv4-addr:value = '198.51.100.{self.number}']",
                "pattern_type": "stix",
                "valid_from": "2021-03-02T00:00:00Z",
            }
            if self.refs:
                shape["x_seen_refs"] = list(self.refs)
        elif self.kind == "malware":
            shape |= {"name": name, "description": "A family", "is_family": True}
            if self.refs:
                shape["x_parent_ref"] = self.refs[0]
        elif self.kind == "relationship":
            source, target = (*self.refs, *self.refs, identity("malware", 0), identity("malware", 1))[:2]
            shape |= {
                "relationship_type": "related-to",
                "source_ref": source,
                "target_ref": target,
                "description": name,
            }
        elif self.kind == "sighting":
            shape |= {"sighting_of_ref": self.refs[0] if self.refs else identity("indicator", 0), "description": name}
        else:
            refs = self.refs or (identity("indicator", 0),)
            shape |= {"object_refs": list(dict.fromkeys(refs))}
            shape |= {"name": name, "published": "2021-03-02T00:00:00Z", "description": "All of it"}
        if self.creator is not None:
            shape["created_by_ref"] = self.creator
        if self.marking is not None:
            shape["object_marking_refs"] = [TLP_REFS[self.marking]]
        if self.granular is not None and "description" in shape:
            shape["granular_markings"] = [{"marking_ref": TLP_REFS[self.granular], "selectors": ["description"]}]
        return shape

    def raw(self) -> bytes:
        """Its bytes."""
        return json.dumps(self.data(), indent=1 if self.spaces else None, ensure_ascii=False).encode()


def identity(kind: str, number: int) -> str:
    """The id of an object of the histories."""
    return f"{kind}--00000000-0000-4000-8000-{number:012x}"


@dataclass(frozen=True)
class Take:
    """An import."""

    who: str
    things: tuple[Thing, ...]
    handling: Handling


@dataclass(frozen=True)
class Handle:
    """A statement about an object."""

    who: str
    object: str
    handling: Handling


@dataclass(frozen=True)
class Word:
    """Officers' words for an object to go to a party."""

    who: str
    object: str
    party: str
    officers: int


@dataclass(frozen=True)
class Sync:
    """A contact; the answer to turn number `lost` gets lost, where it is given."""

    caller: str
    called: str
    lost: int | None = None


@dataclass(frozen=True)
class Submit:
    """The reader hands things in over TAXII: perhaps copies of what is held, with ids it guessed."""

    who: str
    to: str
    objects: tuple[Thing, ...]


@dataclass(frozen=True)
class Wait:
    """Time passes, and every node's timer rings."""

    time: int


@dataclass(frozen=True)
class Life:
    """A deed in the life of an agreement: suspend, resume, withdraw, expel, join."""

    deed: str
    who: str
    pact: int


Event = Take | Handle | Word | Sync | Submit | Wait | Life


@dataclass(frozen=True)
class History:
    """Agreements and what happens under them."""

    pacts: tuple[Pact, ...]
    events: tuple[Event, ...]


# --- drawing one

_KINDS = ("indicator", "malware", "relationship", "report", "sighting")
_IDS = tuple(identity(kind, number) for kind in _KINDS for number in range(3))
_tlps = st.sampled_from([("clear", "green"), ("clear", "green", "amber"), ("green",), ("clear",), ("amber",)])
_types = st.sampled_from(
    [_KINDS, _KINDS, ("indicator", "relationship", "report"), ("indicator", "malware", "sighting"), ("malware",)]
)

_sources = st.sampled_from(["named", "named", "hidden"])


@st.composite
def things(draw: Any) -> Thing:
    """A copy of an object."""
    kind = draw(st.sampled_from(_KINDS))
    count = {"relationship": 2, "malware": 1, "sighting": 1}.get(kind, 3)
    refs = draw(st.lists(st.sampled_from(_IDS), max_size=count, unique=True))
    return Thing(
        kind,
        draw(st.integers(0, 2)),
        tuple(refs),
        draw(st.sampled_from([0, 0, 0, 1, 2])),
        draw(st.sampled_from([0, 0, 0, 1])),
        draw(st.sampled_from([None, None, None, None, "clear", "green", "amber", "red"])),
        draw(st.sampled_from([None, None, None, None, "amber", "red"])),
        draw(st.sampled_from([False, False, False, True])),
        draw(st.sampled_from([None, None, VENDOR])),
    )


FREE = Handling(tlp="green", caveats=frozenset(), basis=frozenset(["agreement"]), own=True)
"""What lets things go under most of the agreements."""


@st.composite
def handlings(draw: Any) -> Handling:
    """What an officer states; mostly something that lets things go."""
    free = draw(st.sampled_from(["green", "green", "clear", "amber", "own"]))
    stated = replace(FREE, own=None if free == "own" else True, tlp="green" if free == "own" else free)
    change = draw(st.integers(0, 9))
    if change == 1:
        return replace(stated, tlp=draw(st.sampled_from([None, "red"])))
    if change == 2:
        return replace(stated, caveats=draw(st.sampled_from([None, frozenset(["use-condition"])])))
    if change == 3:
        return replace(stated, basis=None, purpose=draw(st.sampled_from([None, frozenset(["protect-networks"])])))
    if change == 4:
        return replace(stated, embargo=START + 5 * HOUR)
    if change == 5:
        return replace(stated, retention=START + 30 * HOUR)
    return stated


@st.composite
def clauses(draw: Any, members: tuple[str, ...]) -> Clause:
    """A clause among these."""
    says = draw(st.sampled_from(["permit", "permit", "permit", "refer", "prohibit"]))
    some = st.lists(st.sampled_from(members), min_size=1, max_size=len(members), unique=True).map(tuple)
    everybody = draw(st.booleans())
    sender, to = (("members",), ("members",)) if everybody else (draw(some), draw(some))
    if set(sender) == set(to) and len(sender) == 1:
        to = members
    return Clause(
        says,
        sender,
        to,
        draw(_types) if says == "permit" else (),
        draw(_tlps) if says == "permit" else draw(st.sampled_from([("amber",), ("red",), ("amber", "red")])),
        draw(st.sampled_from(["full", "full", "without-victim", "indicator"])),
        draw(st.sampled_from(["none", "members"])),
        draw(st.sampled_from([1, 2])),
        ("use-condition",) if says == "prohibit" else (),
        draw(st.sampled_from([None, None, None, 3])) if says == "permit" else None,
        draw(_sources),
    )


@st.composite
def pacts(draw: Any, members: tuple[str, ...]) -> Pact:
    """An agreement; the first clause lets something go, so that most histories are about something."""
    onward = draw(st.sampled_from(["none", "members"]))
    view = draw(st.sampled_from(["full", "full", "without-victim"]))
    first = Clause(
        "permit", ("members",), ("members",), draw(_types), draw(_tlps), view=view, onward=onward, source=draw(_sources)
    )
    more = draw(st.lists(clauses(members), max_size=2))
    return Pact(members, (first, *more), grows=len(members) > 2)


@st.composite
def histories(draw: Any, *, lossy: tuple[str, ...] = NAMES, life: bool = True) -> History:
    """A history.

    Args:
        lossy: Losses strike only contacts in which one of these takes part.
        life: Whether agreements are suspended, left and joined.
    """
    sides = draw(
        st.sampled_from([((A, B),), ((A, B), (A, C)), ((A, B, C),), ((A, B), (A, B, C)), ((A, B), (C, A), (B, C))])
    )
    made = tuple(draw(pacts(members)) for members in sides)
    holders = [name for name in (A, C) if any(name in pact.members for pact in made)]
    pairs = sorted({(x, y) for pact in made for x in pact.members for y in pact.members if x != y})
    if any(pact.grows for pact in made):
        pairs += [(D, A), (A, D), (D, B)]
    start = tuple(draw(st.lists(things(), min_size=2, max_size=5)))
    events: list[Event] = [Take(A, start, FREE)]
    known = [one.id for one in start]
    for _ in range(draw(st.integers(2, 9))):
        word = draw(
            st.sampled_from(
                [
                    "take",
                    "take",
                    "take",
                    "sync",
                    "sync",
                    "handle",
                    "word",
                    "wait",
                    "submit",
                    *(["life"] if life else []),
                ]
            )
        )
        who = draw(st.sampled_from([*holders, A]))
        if word == "take":
            batch = tuple(draw(st.lists(things(), min_size=1, max_size=5)))
            known += [one.id for one in batch]
            events.append(Take(draw(st.sampled_from([who, who, who, B])), batch, draw(handlings())))
        elif word == "handle" and known:
            events.append(Handle(who, draw(st.sampled_from(known)), draw(handlings())))
        elif word == "word" and known:
            events.append(
                Word(who, draw(st.sampled_from(known)), draw(st.sampled_from([B, B, C])), draw(st.integers(1, 2)))
            )
        elif word == "sync":
            caller, called = draw(st.sampled_from(pairs))
            lost = draw(st.sampled_from([None, None, 1, 2, 3])) if {caller, called} & set(lossy) else None
            events.append(Sync(caller, called, lost))
        elif word == "submit":
            made_up = draw(st.lists(things(), max_size=2))
            copied = [thing for event in events if isinstance(event, Take) for thing in event.things]
            events.append(Submit(B, A, tuple(made_up + draw(st.lists(st.sampled_from(copied), max_size=2)))))
        elif word == "wait":
            events.append(Wait(draw(st.sampled_from([MINUTE, 4 * HOUR, 7 * HOUR, 26 * HOUR, 3 * DAY]))))
        elif word == "life":
            events.append(
                Life(
                    draw(st.sampled_from(["suspend", "resume", "withdraw", "expel", "join", "join"])),
                    draw(st.sampled_from([A, B, C])),
                    draw(st.integers(0, len(made) - 1)),
                )
            )
    events += [Sync(caller, called) for caller, called in pairs if caller < called and D not in (caller, called)]
    return History(made, tuple(events))


# --- histories that once went wrong

_ALL = Clause("permit", ("members",), ("members",), _KINDS, ("clear", "green"))

SEALED_FOR_ANOTHER = History(
    (Pact((A, B), (_ALL,)), Pact((A, C), (replace(_ALL, source="hidden"),))),
    (
        Take(A, (Thing("indicator", 0, creator=VENDOR),), FREE),
        Sync(A, B),
        Sync(A, C),
    ),
)
"""What one party gets under the source's name goes to another in a new object; that the first had it sealed by us changes nothing."""


# --- playing it


@dataclass
class Played:
    """A history that was played: its world, and what each party was sent, in order."""

    world: World
    digests: list[str]
    spoken: Collection[tuple[str, str, str, str, bytes]] | None = None
    heard: dict[str, list[bytes]] = field(default_factory=lambda: {name: [] for name in NAMES})


@dataclass
class Wire(Direct):
    """A carrier that keeps what goes over it, and loses one answer."""

    played: Played | None = None
    names: tuple[str, str] = ("", "")
    lost: int | None = None
    turns: int = 0

    def turn(self, turn: bytes, *, objects: bool) -> bytes:
        assert self.played is not None
        caller, called = self.names
        self.turns += 1
        self.played.heard[called].append(turn)
        try:
            reply = super().turn(turn, objects=objects)
        except ComityError as refused:
            self.played.heard[caller].append(f"{refused.code} {refused.sentence}".encode())
            raise
        if self.turns == self.lost:
            raise Unavailable("peer-unreachable", "The answer got lost.")
        self.played.heard[caller].append(reply)
        return reply


def contact(played: Played, caller: str, called: str, lost: int | None = None) -> bool:
    """One contact; whether it came to its end."""
    us, them = played.world.nodes[caller], played.world.nodes[called]
    wire = Wire(them, us.party, played, (caller, called), lost)
    try:
        converse(us, them.party, wire)
    except ComityError:
        if lost is None:
            raise
        return False
    return True


def meet(played: Played, rounds: int = 2) -> None:
    """Contacts between all who have something with each other, until everybody has everything."""
    members = sorted(NAMES)
    for _ in range(rounds):
        for caller in members:
            for called in members:
                if caller < called:
                    contact(played, caller, called)


def ring(world: World) -> None:
    """Every node's timer."""
    for node in world.nodes.values():
        with deed(node):
            pass


@lru_cache(maxsize=1)
def _begun() -> World:
    world = World(seed=b"histories")
    for name, country in zip(NAMES, ("XA", "XB", "XC", "XD"), strict=True):
        world.node(name, country=country)
    world.introduce(*NAMES)
    return world


def begin(make_store: Callable[[str], Store] | None = None) -> World:
    """Four parties that know each other; in memory they are made once and copied."""
    if make_store is not None:
        world = World(seed=b"histories", make_store=make_store)
        for name, country in zip(NAMES, ("XA", "XB", "XC", "XD"), strict=True):
            world.node(name, country=country)
        world.introduce(*NAMES)
        return world
    base = _begun()
    world = World(seed=base.seed, at=base.at)
    for name, node in base.nodes.items():
        store = MemoryStore(threading.RLock())
        store._tables = {kind: rows.copy() for kind, rows in node.store._tables.items()}  # type: ignore[attr-defined]
        world.nodes[name] = replace(
            node,
            store=store,
            clock=lambda name=name: world.at + world.shift.get(name, 0),
            random=lambda size, label, name=name: world._bytes(size, f"{name}/{label}"),
        )
    return world


Kept = Callable[[int, int], bool]
"""Whether thing number j of event number i is part of the history that is played."""


def play(
    history: History,
    *,
    make_store: Callable[[str], Store] | None = None,
    kept: Kept = lambda event, thing: True,
    spoken: Collection[tuple[str, str, str, str, bytes]] | None = None,
    after: Callable[[Played], None] | None = None,
) -> Played:
    """Play a history on fresh nodes.

    Args:
        kept: Things that are left out are nowhere, and neither is what is said of objects that are nowhere.
        spoken: The officers' words that may be given, as (node, party, officer, object, hash of the version); None: all.
        after: Called after each event.
    """
    world = begin(make_store)
    played = Played(world, [], spoken)
    for pact in history.pacts:
        text = pact.text(world, world.at)
        digest = ""
        for name in pact.members:
            row, _ = receive(world.nodes[name], text.encode())
            digest = row.digest
            sign(world, name, digest)
        for name in pact.members:
            for other in pact.members:
                if name < other:
                    contact(played, name, other)
        played.digests.append(digest)
    for number, event in enumerate(history.events):
        happen(played, event, lambda j, number=number: kept(number, j))
        if after is not None:
            after(played)
    return played


def sign(world: World, name: str, digest: str) -> None:
    """Sign an agreement."""
    from comity.node.instruments import sign_agreement

    sign_agreement(world.nodes[name], digest, officer="officer-1")


def happen(played: Played, event: Event, kept: Callable[[int], bool]) -> None:
    """Let one event happen; what cannot be done is not done."""
    world = played.world
    if isinstance(event, Take):
        things = [thing for j, thing in enumerate(event.things) if kept(j)]
        if things:
            world.imports += 1
            take_in(
                world.nodes[event.who],
                [Raw(thing.raw(), place=f"object {place}") for place, thing in enumerate(things, 1)],
                name="test",
                format="stix-2.1",
                digest=sha256(repr(event).encode() + b"".join(thing.raw() for thing in things)).hexdigest(),
                handling=event.handling,
                minted=False,
            )
    elif isinstance(event, Handle):
        with suppress(NotFound):
            set_handling(world.nodes[event.who], event.object, event.handling, officer="officer-1")
    elif isinstance(event, Word):
        for officer in range(event.officers):
            with suppress(NotFound, NotAllowed):
                _may_speak(played, event, f"officer-{officer}")
                approve(
                    world.nodes[event.who],
                    event.object,
                    world.nodes[event.party].party,
                    officer=f"officer-{officer}",
                    reason="asked",
                    until=world.at + 20 * HOUR,
                )
    elif isinstance(event, Sync):
        contact(played, event.caller, event.called, event.lost)
    elif isinstance(event, Submit):
        party = world.nodes[event.who].party
        reader = Reader("0" * 64, party, "tool", world.at, None)
        status = submit(world.nodes[event.to], reader, INBOX, [thing.raw() for thing in event.objects])
        played.heard[event.who].append(msgspec.json.encode(status))
    elif isinstance(event, Wait):
        world.at += event.time
        ring(world)
    else:
        _live(played, event)


def _may_speak(played: Played, event: Word, officer: str) -> None:
    """Return where the word would be for the version it was given for when the whole history was played."""
    if played.spoken is None:
        return
    node, party = played.world.nodes[event.who], played.world.nodes[event.party].party
    with node.store.read() as tx:
        holding, _ = _referred(tx, world_for(tx, node.party, party, node.clock()), event.object)
        version = tx.get(Version, holding.version)
        assert version is not None
        if (event.who, party, officer, event.object, version.same) not in played.spoken:
            raise NotAllowed("not-referred", "It was given for another version.")


def _live(played: Played, event: Life) -> None:
    world, digest = played.world, played.digests[event.pact]
    node = world.nodes[event.who]
    with suppress(ComityError):
        if event.deed == "suspend":
            suspend(node, digest, since=None, until=None, officer="officer-1")
        elif event.deed == "resume":
            suspend(node, digest, since=None, until=world.at, officer="officer-1")
        elif event.deed == "withdraw":
            withdraw(node, digest, effective=world.at + 25 * HOUR, officer="officer-1")
        elif event.deed == "expel":
            for name in (A, C):
                expel(world.nodes[name], digest, world.nodes[event.who].party, officer="officer-1")
                meet(played, 1)
        else:
            with world.nodes[A].store.read() as tx:
                row = tx.get(AgreementRow, digest)
            if row is None:
                return
            receive(world.nodes[D], row.form)
            accede(world.nodes[D], digest, officer="officer-1")
            meet(played, 1)
            for name in (A, B, C):
                with suppress(ComityError):
                    admit(world.nodes[name], digest, world.nodes[D].party, officer="officer-1")
                meet(played, 1)


def versions(world: World, name: str) -> dict[int, Version]:
    """What a node keeps, by number."""
    with world.nodes[name].store.read() as tx:
        return {row.n: row for row in tx.find(Version)}
