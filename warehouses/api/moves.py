"""Stock moved within its warehouse, given another status, put together into kits."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from rest_framework.response import Response

from catalog.models import Sku
from config.kernel.api import HouseViewSet, documents
from config.kernel.errors import ValidationFailed
from config.kernel.idempotency import service_key
from warehouses.api import transfer_serializers as serializers
from warehouses.models import Location, Lot, StockMovement
from warehouses.services.assembly import assemble_kit, disassemble_kit
from warehouses.services.moves import StockMove, change_status, move_stock

_Movements = serializers.MovementsSerializer


class _Posts(HouseViewSet):
    """Makes movements; answers with them."""

    def posted(self, movements: Iterable[StockMovement]) -> dict[str, Any]:
        ids = [movement.pk for movement in movements]
        rows = StockMovement.objects.filter(pk__in=ids).select_related("sku", "location__warehouse", "lot")
        return {"movements": rows.order_by("pk")}


class StockMoveViewSet(_Posts):
    permission_map: ClassVar = {"create": "warehouses.move_stock"}

    @documents(serializers.MovesBodySerializer, _Movements)
    def create(self, request: Any) -> Response:
        """Move units from bin to bin of a warehouse, all lines or none; reserved units stay where they are."""

        def effect() -> dict[str, Any]:
            body = self.body(serializers.MovesBodySerializer)
            names = _Names(request.user, body["warehouse"], body["lines"], ("from_location", "to_location"))
            moves = [
                StockMove(
                    names.sku(place, line),
                    names.location(place, line, "from_location"),
                    names.location(place, line, "to_location"),
                    line["quantity"],
                    names.lot(place, line),
                    line["status"],
                )
                for place, line in enumerate(body["lines"], start=1)
            ]
            names.refuse_unknown(has_lines=True)
            made = move_stock(
                moves, key=service_key(request), now=self.now(), actor=request.user, reason=body["reason"]
            )
            return self.posted(made)

        return self.make_once(effect, _Movements)


class StatusChangeViewSet(_Posts):
    permission_map: ClassVar = {"create": "warehouses.move_stock"}

    @documents(serializers.StatusChangeBodySerializer, _Movements)
    def create(self, request: Any) -> Response:
        """Give units another status where they lie: available, quarantine, damaged, blocked."""

        def effect() -> dict[str, Any]:
            body = self.body(serializers.StatusChangeBodySerializer)
            names = _Names(request.user, body["warehouse"], [body], ("location",))
            ids = {
                "sku_id": names.sku(None, body),
                "location_id": names.location(None, body, "location"),
                "lot_id": names.lot(None, body),
            }
            names.refuse_unknown()
            made = change_status(
                **ids,  # type: ignore[arg-type]
                quantity=body["quantity"],
                from_status=body["from_status"],
                to_status=body["to_status"],
                reason=body["reason"],
                unreserve=body["unreserve"],
                key=service_key(request),
                now=self.now(),
                actor=request.user,
            )
            return self.posted(made)

        return self.make_once(effect, _Movements)


class KitAssemblyViewSet(_Posts):
    permission_map: ClassVar = {"create": "warehouses.assemble_kit"}

    @documents(serializers.AssemblyBodySerializer, _Movements)
    def create(self, request: Any) -> Response:
        """Put kits together out of their parts, or take them apart; their value stays the same."""

        def effect() -> dict[str, Any]:
            body = self.body(serializers.AssemblyBodySerializer)
            names = _Names(request.user, body["warehouse"], [body], ("location",))
            location_id = names.location(None, body, "location")
            names.refuse_unknown()
            act = disassemble_kit if body["disassemble"] else assemble_kit
            made = act(
                body["kit"].pk,
                quantity=body["quantity"],
                location_id=location_id,
                key=service_key(request),
                now=self.now(),
                actor=request.user,
            )
            return self.posted(made)

        return self.make_once(effect, _Movements)


class _Names:
    """The ids behind the names of a body, read in three queries; what is unknown is collected."""

    def __init__(self, user: Any, warehouse: str, lines: list[dict[str, Any]], places: tuple[str, ...]) -> None:
        codes = {line[field] for line in lines for field in places}
        rows = Location.objects.for_actor(user).filter(warehouse__code=warehouse, code__in=codes)
        self._places = dict(rows.values_list("code", "pk"))
        wanted = {line["sku"] for line in lines if "sku" in line}
        self._skus = dict(Sku.objects.for_actor(user).filter(code__in=wanted).values_list("code", "pk"))
        named = {line["lot"] for line in lines if line.get("lot")}
        lots = Lot.objects.for_actor(user).filter(code__in=named, sku__code__in=wanted) if named else ()
        self._lots = {(lot.sku_id, lot.code): lot.pk for lot in lots}
        self._faults: list[dict[str, Any]] = []
        self._quantities = {place: line["quantity"] for place, line in enumerate(lines, start=1)}

    def sku(self, place: int | None, line: dict[str, Any]) -> int:
        return self._found(self._skus.get(line["sku"]), place, "sku", line["sku"])

    def location(self, place: int | None, line: dict[str, Any], field: str) -> int:
        return self._found(self._places.get(line[field]), place, field, line[field])

    def lot(self, place: int | None, line: dict[str, Any]) -> int | None:
        if not line["lot"]:
            return None
        return self._found(self._lots.get((self._skus.get(line["sku"], 0), line["lot"])), place, "lot", line["lot"])

    def _found(self, pk: int | None, place: int | None, field: str, name: str) -> int:
        if pk is None:
            where = {} if place is None else {"line": place}
            self._faults.append({**where, "field": field, "message": _("There is no %s.") % name})
        return pk or 0

    def refuse_unknown(self, *, has_lines: bool = False) -> None:
        """Raises with every name that is unknown, and with the quantities that are none beside them."""
        if self._faults:
            message = _("The quantity must be above zero, with at most three digits after the point.")
            none = [
                {**({"line": place} if has_lines else {}), "field": "quantity", "message": message}
                for place, quantity in self._quantities.items()
                if quantity <= 0
            ]
            items = sorted([*self._faults, *none], key=lambda item: item.get("line", 0))
            raise ValidationFailed(_("Nothing was moved."), items=items)
