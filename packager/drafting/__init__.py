"""The first manifest of a model: what is known, what is guessed, and what a trial with known answers says."""

from packager.drafting.sketch import Sketch, make_sketch
from packager.drafting.trying import try_contracts
from packager.drafting.wish import Drafted, Network, Wish, write
from packager.manifest.draft import text
from packager.session import Session


def write_first(session: Session, wish: Wish) -> Drafted:
    """The text of a first manifest. Raises ModelError, UsageError, or ManifestError where no contract is right."""
    with session.console.stage("inspect"):
        sketch: Sketch = make_sketch(session, wish)
    if not wish.tries:
        return Drafted(text(sketch.draft))
    with session.console.stage("try"):
        return try_contracts(session, wish, sketch)


__all__ = ["Drafted", "Network", "Wish", "write", "write_first"]
