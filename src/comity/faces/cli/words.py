"""What an officer states about objects, as options of a command."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

if TYPE_CHECKING:
    from comity.kernel.model.instants import Instant
    from comity.kernel.release.handling import Handling


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Stated:
    """What an officer states about objects. The stricter of all statements counts; none loosens another."""

    tlp: Annotated[str | None, Parameter(help="TLP 2.0: clear, green, amber, amber+strict, red.")] = None
    pap: Annotated[str | None, Parameter(help="PAP: clear, green, amber, red.")] = None
    sector: Annotated[tuple[str, ...], Parameter(help="Sector concerned; once for each.")] = ()
    country: Annotated[tuple[str, ...], Parameter(help="Country concerned, ISO 3166-1; once for each.")] = ()
    basis: Annotated[tuple[str, ...], Parameter(help="Legal basis, a word of the list or a URI; once for each.")] = ()
    purpose: Annotated[
        tuple[str, ...], Parameter(help="Purpose it may serve, a word of the list or a URI; once for each.")
    ] = ()
    case: Annotated[tuple[str, ...], Parameter(help="Case it belongs to; once for each.")] = ()
    caveat: Annotated[tuple[str, ...], Parameter(help="Caveat, such as personal-data; once for each.")] = ()
    no_caveats: Annotated[bool, Parameter(help="State that there is no caveat; unstated is not the same.")] = False
    recipient: Annotated[
        tuple[str, ...], Parameter(help="Office that may have it, such as duty-officer; once for each.")
    ] = ()
    embargo: Annotated[str | None, Parameter(help="Before this instant it goes to nobody.")] = None
    retention: Annotated[
        str | None, Parameter(help="When it ends: an instant, or a duration from now such as P90D.")
    ] = None
    own: Annotated[bool, Parameter(help="It is our own work.")] = False
    minimised: Annotated[bool, Parameter(help="Personal data in it was cut down to what the purpose needs.")] = False

    def given(self) -> dict[str, Any]:
        """What was stated, as it was written; stable, so that the same words name the same import."""
        return {field.name: _plain(value) for field in fields(self) if (value := getattr(self, field.name))}

    def handling(self, now: Instant) -> Handling:
        """The statement, with its words checked.

        Raises:
            Usage: as `comity.node.stating.handling_of`.
        """
        from comity.node.stating import handling_of

        return handling_of({field.name: getattr(self, field.name) for field in fields(self)}, now)


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, tuple) else value
