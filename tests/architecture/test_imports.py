"""The map of the house, held by a test: read it to learn who may lean on whom."""

import ast
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Each app may import itself and everything to its left.
ORDER = ("catalog", "warehouses", "forecasting", "procurement", "monitoring")
DOORS = {"models", "selectors", "services"}
ENGINES = ("warehouses/engine", "forecasting/engine", "procurement/engine")
ENGINE_MAY = {"numpy", "scipy", "statsmodels", "pandas", "numba", "highspy", "lightgbm"}
HEAVY = {"scipy", "statsmodels", "pandas", "pyarrow", "numpy"}


def modules(folder: str) -> list[Path]:
    return sorted(p for p in (ROOT / folder).rglob("*.py") if "migrations" not in p.parts)


def imports(path: Path, *, top_level_only: bool = False) -> Iterator[str]:
    """Every dotted name a module imports; TYPE_CHECKING blocks do not count as imports at run time."""
    tree = ast.parse(path.read_text())
    nodes = tree.body if top_level_only else list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: imports are absolute"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("app", ORDER)
def test_an_app_imports_only_leftwards_and_only_through_the_doors(app: str) -> None:
    left = ORDER[: ORDER.index(app)]
    for path in modules(app):
        for name in imports(path):
            top, _, rest = name.partition(".")
            if top in ORDER and top != app:
                assert top in left, f"{path.relative_to(ROOT)} imports {name}, which stands to its right"
                door = rest.split(".")[0]
                assert not rest or door in DOORS, f"{path.relative_to(ROOT)} imports {name}, past the doors {DOORS}"


def test_the_kernel_knows_no_app() -> None:
    for path in modules("config/kernel"):
        for name in imports(path):
            assert name.split(".")[0] not in ORDER, f"{path.relative_to(ROOT)} imports {name}"


def test_apps_import_nothing_of_config_but_the_kernel() -> None:
    for app in ORDER:
        for path in modules(app):
            for name in imports(path):
                assert not name.startswith("config.") or name.startswith("config.kernel"), (
                    f"{path.relative_to(ROOT)} imports {name}"
                )


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_is_pure_numerics(engine: str) -> None:
    import sys

    own = engine.replace("/", ".")
    leftward = "forecasting.engine"
    for path in modules(engine):
        for name in imports(path):
            top = name.split(".")[0]
            extra = top == "torch" and path.name == "neural.py"  # an optional extra, imported only when it is used
            allowed = top in sys.stdlib_module_names or top in ENGINE_MAY or name.startswith((own, leftward)) or extra
            assert allowed, f"{path.relative_to(ROOT)} imports {name}"
            assert top != "logging", f"{path.relative_to(ROOT)} logs"


def test_what_serves_a_page_starts_without_heavy_science() -> None:
    """Asked of a fresh process with every URL loaded, as the web server has them."""
    import subprocess
    import sys

    code = "import django, sys; django.setup(); import config.urls; print(*sys.modules)"
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test"}
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True)

    assert HEAVY & set(loaded.stdout.split()) == set()


def test_services_and_selectors_never_reach_back_to_the_edges() -> None:
    edges = {"admin", "api", "portal", "tasks", "management"}
    for app in ORDER:
        for room in ("services", "selectors", "models", "locks"):
            for path in [*modules(f"{app}/{room}"), ROOT / app / f"{room}.py"]:
                if path.exists():
                    for name in imports(path):
                        parts = name.split(".")
                        assert not (parts[0] in ORDER and len(parts) > 1 and parts[1] in edges), (
                            f"{path.relative_to(ROOT)} imports {name}"
                        )


STOCK_TABLES = ("stocklevel", "stockmovement", "stockvalue", "costlayer")


def test_only_the_one_writer_changes_stock() -> None:
    """Who holds the pen: the posting, the making of empty levels, and repairs that a person asked for. (The demo's
    bulk load copies its history in.)"""
    allowed = {
        "warehouses/services/posting.py",
        "warehouses/services/repairs.py",
        "warehouses/services/valuation_method.py",
        "warehouses/locks.py",
    }
    sql = [f"{verb} warehouses_{table}" for verb in ("UPDATE", "INSERT INTO", "DELETE FROM") for table in STOCK_TABLES]
    orm = [
        f"{model}.objects.{verb}"
        for model in ("StockLevel", "StockMovement", "StockValue", "CostLayer")
        for verb in ("create(", "bulk_create(", "update_or_create(", "get_or_create(", "bulk_update(", "update(")
    ]
    for app in ORDER:
        for path in modules(app):
            text = path.read_text()
            name = str(path.relative_to(ROOT))
            writes = [text_ for text_ in sql + orm if text_ in text]
            assert not writes or name in allowed, f"{name} writes stock past post_movements: {writes}"


def test_no_room_is_called_utils_or_helpers() -> None:
    for app in (*ORDER, "config"):
        for path in modules(app):
            assert path.stem not in {"utils", "helpers", "misc", "common"}, path
