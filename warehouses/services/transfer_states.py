"""The life of a transfer: which action leads from which state to which."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum

from django.utils.translation import gettext as _

from config.kernel.errors import Conflict
from warehouses.models import Transfer, TransferLine

_Status = Transfer.Status


class Action(StrEnum):
    RESERVE = "reserve"
    UNRESERVE = "unreserve"
    SHIP = "ship"
    RECEIVE_PART = "receive_part"
    RECEIVE_REST = "receive_rest"
    CLOSE_SHORT = "close_short"
    CANCEL = "cancel"


# from → action → to. What is not listed is refused.
TRANSITIONS: Mapping[str, Mapping[Action, str]] = {
    _Status.DRAFT: {Action.RESERVE: _Status.RESERVED, Action.CANCEL: _Status.CANCELLED},
    _Status.RESERVED: {
        Action.RESERVE: _Status.RESERVED,
        Action.UNRESERVE: _Status.DRAFT,
        Action.SHIP: _Status.IN_TRANSIT,
        Action.CANCEL: _Status.CANCELLED,
    },
    _Status.IN_TRANSIT: {
        Action.RESERVE: _Status.IN_TRANSIT,
        Action.UNRESERVE: _Status.IN_TRANSIT,
        Action.SHIP: _Status.IN_TRANSIT,
        Action.RECEIVE_PART: _Status.PARTIALLY_RECEIVED,
        Action.RECEIVE_REST: _Status.RECEIVED,
        Action.CLOSE_SHORT: _Status.RECEIVED,
    },
    _Status.PARTIALLY_RECEIVED: {
        Action.RESERVE: _Status.PARTIALLY_RECEIVED,
        Action.UNRESERVE: _Status.PARTIALLY_RECEIVED,
        Action.SHIP: _Status.PARTIALLY_RECEIVED,
        Action.RECEIVE_PART: _Status.PARTIALLY_RECEIVED,
        Action.RECEIVE_REST: _Status.RECEIVED,
        Action.CLOSE_SHORT: _Status.RECEIVED,
    },
    _Status.RECEIVED: {},
    _Status.CANCELLED: {},
}


def next_status(transfer: Transfer, action: Action) -> str:
    """Where `action` leads from the transfer's state. Raises Conflict where it leads nowhere."""
    status = TRANSITIONS[transfer.status].get(action)
    if status is None:
        named = {"transfer": transfer.number, "status": str(_Status(transfer.status).label).lower()}
        raise Conflict(_("%(transfer)s is %(status)s; this cannot be done with it now.") % named, code="wrong_state")
    return status


def is_allowed(transfer: Transfer, action: Action) -> bool:
    return action in TRANSITIONS[transfer.status]


def to_ship(line: TransferLine) -> Decimal:
    """Units of a line that have not left yet."""
    return line.quantity - line.shipped_quantity


def under_way(line: TransferLine) -> Decimal:
    """Units of a line that have left and neither arrived nor were written off."""
    return line.shipped_quantity - line.received_quantity - line.lost_quantity


def status_after_receipt(transfer: Transfer, lines: Sequence[TransferLine]) -> str:
    """Received when nothing is under way and nothing is left to be sent."""
    is_complete = not any(under_way(line) or to_ship(line) for line in lines)
    return next_status(transfer, Action.RECEIVE_REST if is_complete else Action.RECEIVE_PART)
