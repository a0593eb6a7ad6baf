"""Who can sign in to the demo company, with random passwords that people can read out to each other."""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from knox.models import AuthToken

from config.kernel.policy import CLERK, INTEGRATION, PLANNER, SUPPLIER, VIEWER
from procurement.models import Supplier, SupplierMembership

_WORDS = (
    "anchor", "barley", "beacon", "birch", "bramble", "canvas", "cedar", "clover", "copper", "cotton", "driftwood",
    "ember", "fennel", "ferry", "granite", "harbour", "hazel", "heather", "juniper", "kettle", "lantern", "larch",
    "linen", "maple", "meadow", "orchard", "oyster", "pebble", "pepper", "plover", "quarry", "quince", "rowan",
    "saffron", "sparrow", "thistle", "timber", "velvet", "walnut", "willow",
)  # fmt: skip
DOMAIN = "harbour-hearth.example"


@dataclass(frozen=True, slots=True)
class People:
    """The users that documents name; `credentials` holds every clear password, to be written once and not kept."""

    planner: Any
    clerk: Any
    contacts: list[Any]  # of each supplier, in the world's order
    credentials: dict[str, Any]


def load_people(*, suppliers: list[Supplier], portal_supplier: Supplier) -> People:
    """Planner, clerk, viewer, admin, a machine with a token, and every supplier's contact; one of them can sign in."""
    credentials: dict[str, Any] = {}

    def person(role: str | None, name: str, **more: Any) -> Any:
        password = readable_password()
        user = _user(name, role, password=password, is_staff=role != SUPPLIER, **more)
        credentials[name] = {"username": user.get_username(), "password": password}
        return user

    planner, clerk = person(PLANNER, "planner"), person(CLERK, "clerk")
    person(VIEWER, "viewer")
    person(None, "admin", is_superuser=True)
    contacts = []
    for supplier in suppliers:
        signs_in = supplier == portal_supplier
        if signs_in:
            contact = person(SUPPLIER, "supplier", email=supplier.email)
        else:
            contact = _user(f"orders.{supplier.code.lower()}", SUPPLIER, password=None, email=supplier.email)
        SupplierMembership.objects.create(user=contact, supplier=supplier)
        contacts.append(contact)
    credentials["supplier"]["supplier"] = portal_supplier.name
    _token, credentials["token"] = AuthToken.objects.create(_user("integration", INTEGRATION, password=None))
    return People(planner=planner, clerk=clerk, contacts=contacts, credentials=credentials)


def readable_password() -> str:
    """Three words and two digits, about 22 bits; good against guessing at a throttled login, for a demo."""
    words = [secrets.choice(_WORDS) for _ in range(3)]
    return "-".join([*words, f"{secrets.randbelow(90) + 10}"])


def _user(name: str, role: str | None, *, password: str | None, email: str = "", **more: Any) -> Any:
    """A user who is new: where the name is taken already, by whomever, another one is found."""
    model = get_user_model()
    username, tries = name, 0
    while model.objects.filter(username=username).exists():
        tries += 1
        username = f"demo-{name}" if tries == 1 else f"demo-{name}-{tries}"
    user = model.objects.create_user(username, email or f"{username}@{DOMAIN}", password, **more)
    if role:
        user.groups.add(Group.objects.get_or_create(name=role)[0])
    return user


def write_credentials(path: Path, credentials: dict[str, Any]) -> None:
    """For the owner's eyes only, from the first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(credentials, file, indent=1)
        file.write("\n")
    temporary.replace(path)
