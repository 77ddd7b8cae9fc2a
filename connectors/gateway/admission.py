"""Who may send ticks where keys are asked for."""

from functools import partial

from connectors.gateway.control_lines import Hello
from connectors.gateway.protocol import Admit, Permit
from connectors.keys import KeyRing, Scope


def admission_by(ring: KeyRing) -> Admit:
    """Lets a client in whose hello has a key of the scope `ingest`, for as long as `ring` has that key."""

    def admit(hello: Hello) -> Permit | None:
        ring.refresh()
        key = ring.find(hello.key, Scope.INGEST)
        return None if key is None else Permit(key.name, partial(ring.has, key.id, Scope.INGEST))

    return admit
