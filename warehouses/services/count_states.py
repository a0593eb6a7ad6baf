"""The life of a count sheet: which action leads from which state to which."""

from collections.abc import Mapping
from enum import StrEnum

from django.utils.translation import gettext as _

from config.kernel.errors import Conflict
from warehouses.models import CountSheet

_Status = CountSheet.Status


class Action(StrEnum):
    ENTER = "enter"
    ADD_LINE = "add_line"
    CHECK = "check"
    """Large variances are counted a second time."""
    WAIT = "wait"
    FINISH = "finish"
    ASK_AGAIN = "ask_again"
    APPROVE = "approve"
    CANCEL = "cancel"


# from → action → to. What is not listed is refused.
TRANSITIONS: Mapping[str, Mapping[Action, str]] = {
    _Status.OPEN: {
        Action.ENTER: _Status.OPEN,
        Action.ADD_LINE: _Status.OPEN,
        Action.CHECK: _Status.RECOUNT,
        Action.WAIT: _Status.COUNTED,
        Action.FINISH: _Status.POSTED,
        Action.CANCEL: _Status.CANCELLED,
    },
    _Status.RECOUNT: {
        Action.ENTER: _Status.RECOUNT,
        Action.WAIT: _Status.COUNTED,
        Action.FINISH: _Status.POSTED,
        Action.CANCEL: _Status.CANCELLED,
    },
    _Status.COUNTED: {
        Action.ASK_AGAIN: _Status.RECOUNT,
        Action.APPROVE: _Status.POSTED,
        Action.CANCEL: _Status.CANCELLED,
    },
    _Status.POSTED: {},
    _Status.CANCELLED: {},
}


def next_status(sheet: CountSheet, action: Action) -> str:
    """Where `action` leads from the sheet's state. Raises Conflict where it leads nowhere."""
    status = TRANSITIONS[sheet.status].get(action)
    if status is None:
        named = {"sheet": sheet.number, "status": str(_Status(sheet.status).label).lower()}
        raise Conflict(_("%(sheet)s is %(status)s; this cannot be done with it now.") % named, code="wrong_state")
    return status


def is_allowed(sheet: CountSheet, action: Action) -> bool:
    return action in TRANSITIONS[sheet.status]
