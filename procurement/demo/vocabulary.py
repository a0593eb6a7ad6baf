"""The words of the demo company: categories with their products, variant axes and collections, all invented."""

from typing import NamedTuple


class Noun(NamedTuple):
    """One kind of product: name, variant axis, price range in pence, grams, cm³, units in an outer case."""

    name: str
    axis: str
    low_pence: int
    high_pence: int
    weight_g: int
    volume_cm3: int
    case: int


class Theme(NamedTuple):
    """A category: code prefix, name, return rate (percent), share of wholesale lines, bumps of the yearly season.

    A bump is (day of the year, width in days, height over the base level of 1).
    """

    code: str
    name: str
    return_percent: float
    wholesale_share: float
    season: tuple[tuple[int, int, float], ...]
    nouns: tuple[Noun, ...]


COLLECTIONS = (
    "Saltmarsh", "Orwell", "Dovecote", "Fenland", "Larkfield", "Harbour", "Landguard", "Deben", "Bramble", "Ashdown",
    "Quayside", "Wensley", "Thornham", "Marram", "Skipper", "Kersey", "Holme", "Alde", "Beacon", "Lavenham",
)  # fmt: skip

AXES: dict[str, tuple[tuple[str, str], ...]] = {
    "colour": (
        ("BLU", "Harbour Blue"), ("SGE", "Sage"), ("CRM", "Cream"), ("CHA", "Charcoal"), ("TER", "Terracotta"),
        ("MUS", "Mustard"), ("WHT", "White"), ("OLV", "Olive"),
    ),
    "size": (("SML", "Small"), ("MED", "Medium"), ("LRG", "Large"), ("XLG", "Extra Large")),
    "span": (("20C", "20 cm"), ("24C", "24 cm"), ("28C", "28 cm"), ("32C", "32 cm")),
    "bed": (("SGL", "Single"), ("DBL", "Double"), ("KNG", "King"), ("SKG", "Super King")),
    "metal": (("STL", "Steel"), ("BRS", "Brass"), ("CPR", "Copper"), ("BLK", "Black")),
    "wood": (("OAK", "Oak"), ("ASH", "Ash"), ("WAL", "Walnut"), ("ACA", "Acacia")),
    "scent": (("FIG", "Fig"), ("SEA", "Sea Salt"), ("CED", "Cedar"), ("ORG", "Orange & Clove"), ("LAV", "Lavender")),
    "set": (("S02", "Set of 2"), ("S04", "Set of 4"), ("S06", "Set of 6"), ("S12", "Set of 12")),
}  # fmt: skip

SPRING, SUMMER, WINTER, GIFTS, NEW_YEAR = (112, 32, 1.6), (182, 38, 1.3), (20, 45, 0.7), (344, 20, 1.3), (12, 16, 0.5)

THEMES: tuple[Theme, ...] = (
    Theme("KIT", "Kitchen & Cookware", 3.0, 0.10, (GIFTS, NEW_YEAR), (
        Noun("Cast Iron Casserole", "colour", 6500, 11900, 5200, 14000, 2),
        Noun("Non-stick Frying Pan", "span", 2400, 4900, 1100, 5200, 6),
        Noun("Chef's Knife", "metal", 2900, 6900, 240, 900, 6),
        Noun("Chopping Board", "wood", 1800, 3900, 1300, 2600, 6),
        Noun("Stovetop Kettle", "colour", 3200, 5900, 1200, 6800, 4),
        Noun("Pepper Mill", "wood", 1600, 3200, 280, 800, 12),
        Noun("Colander", "metal", 1400, 2800, 520, 4200, 6),
        Noun("Utensil Pot", "colour", 1200, 2400, 900, 2400, 6),
        Noun("Measuring Jug", "size", 800, 1600, 350, 1500, 12),
        Noun("Oven Glove", "colour", 900, 1700, 180, 1100, 12),
    )),
    Theme("TAB", "Tableware & Glass", 3.5, 0.22, (GIFTS, (150, 40, 0.3)), (
        Noun("Stoneware Mug", "colour", 700, 1400, 380, 900, 12),
        Noun("Dinner Plate", "colour", 900, 1900, 720, 1300, 12),
        Noun("Pasta Bowl", "colour", 1000, 1900, 640, 1800, 12),
        Noun("Wine Glass", "set", 1600, 4200, 900, 5200, 6),
        Noun("Tumbler", "set", 1200, 3400, 1100, 3600, 6),
        Noun("Serving Platter", "colour", 2200, 4200, 1500, 3900, 4),
        Noun("Cutlery Set", "metal", 3900, 8900, 1900, 2900, 4),
        Noun("Teapot", "colour", 2400, 4200, 950, 3300, 4),
        Noun("Linen Napkin", "colour", 500, 1100, 60, 200, 24),
        Noun("Carafe", "size", 1500, 2900, 700, 2700, 6),
    )),
    Theme("BAK", "Baking", 2.2, 0.12, (GIFTS, (90, 20, 0.5)), (
        Noun("Loaf Tin", "size", 900, 1800, 420, 2100, 12),
        Noun("Springform Tin", "span", 1100, 2200, 560, 2600, 12),
        Noun("Mixing Bowl", "colour", 1400, 2800, 1200, 4800, 6),
        Noun("Rolling Pin", "wood", 1200, 2200, 520, 1200, 12),
        Noun("Cake Stand", "colour", 2200, 3900, 1600, 6200, 4),
        Noun("Pie Dish", "colour", 1300, 2600, 900, 2800, 6),
        Noun("Cooling Rack", "size", 900, 1500, 480, 1400, 12),
        Noun("Biscuit Cutter", "set", 500, 1300, 120, 500, 24),
    )),
    Theme("TXT", "Bedding & Textiles", 5.5, 0.08, (WINTER, (300, 40, 0.5), GIFTS), (
        Noun("Washed Linen Duvet Cover", "bed", 6900, 13900, 1700, 6200, 4),
        Noun("Cotton Fitted Sheet", "bed", 1900, 4200, 700, 2800, 6),
        Noun("Wool Throw", "colour", 3900, 7900, 1100, 6900, 6),
        Noun("Cushion Cover", "colour", 1400, 2900, 180, 900, 12),
        Noun("Quilted Bedspread", "colour", 5900, 10900, 1800, 9200, 4),
        Noun("Pillowcase Pair", "colour", 1600, 3200, 260, 1000, 12),
        Noun("Apron", "colour", 1500, 2600, 220, 1100, 12),
        Noun("Tea Towel", "set", 700, 1900, 180, 600, 24),
        Noun("Table Runner", "colour", 1600, 2900, 240, 1200, 12),
    )),
    Theme("BTH", "Bathroom", 3.2, 0.10, (NEW_YEAR, (250, 35, 0.3)), (
        Noun("Bath Towel", "colour", 1600, 2900, 620, 4200, 6),
        Noun("Hand Towel", "colour", 800, 1500, 280, 1900, 12),
        Noun("Bath Mat", "colour", 1700, 3200, 900, 3900, 6),
        Noun("Soap Dispenser", "metal", 1200, 2400, 360, 900, 12),
        Noun("Toothbrush Holder", "colour", 900, 1700, 300, 700, 12),
        Noun("Shower Caddy", "metal", 1900, 3600, 1100, 6400, 4),
        Noun("Waffle Robe", "size", 3900, 6500, 1200, 6800, 4),
        Noun("Bath Caddy", "wood", 2600, 4200, 1600, 5200, 4),
    )),
    Theme("LGT", "Lighting & Candles", 3.0, 0.15, ((310, 40, 0.9), GIFTS, WINTER), (
        Noun("Scented Candle", "scent", 1200, 2600, 420, 800, 12),
        Noun("Reed Diffuser", "scent", 1800, 3200, 380, 900, 12),
        Noun("Table Lamp", "colour", 3900, 8900, 2100, 15000, 2),
        Noun("Storm Lantern", "metal", 2400, 4900, 1500, 9800, 4),
        Noun("Festoon Lights", "size", 2200, 4900, 900, 3800, 6),
        Noun("Candle Holder", "metal", 900, 2200, 350, 700, 12),
        Noun("Pendant Shade", "colour", 2900, 5900, 1100, 18000, 2),
        Noun("Tealights", "set", 400, 1200, 250, 500, 24),
    )),
    Theme("STO", "Storage & Laundry", 2.5, 0.09, (NEW_YEAR, (245, 30, 0.4)), (
        Noun("Seagrass Basket", "size", 1600, 4200, 900, 22000, 4),
        Noun("Laundry Hamper", "colour", 3400, 6200, 2400, 60000, 2),
        Noun("Glass Storage Jar", "size", 700, 1800, 600, 1900, 12),
        Noun("Bread Bin", "colour", 2800, 4900, 1900, 16000, 2),
        Noun("Peg Rail", "wood", 2200, 3900, 1100, 3100, 6),
        Noun("Shoe Rack", "wood", 3900, 6900, 4200, 24000, 1),
        Noun("Storage Tin", "colour", 800, 1700, 300, 2200, 12),
        Noun("Clothes Airer", "size", 2900, 5400, 3100, 13000, 2),
    )),
    Theme("DEC", "Home Décor", 4.2, 0.16, (GIFTS, (85, 25, 0.3)), (
        Noun("Ceramic Vase", "colour", 1900, 4900, 1200, 4800, 4),
        Noun("Picture Frame", "wood", 1100, 2900, 700, 2200, 6),
        Noun("Wall Mirror", "metal", 4900, 11900, 4600, 28000, 1),
        Noun("Mantel Clock", "colour", 2900, 5200, 900, 3900, 4),
        Noun("Jute Rug", "size", 3900, 12900, 4200, 21000, 1),
        Noun("Dried Flower Bunch", "colour", 1400, 2600, 150, 6200, 6),
        Noun("Book Ends", "metal", 1800, 3400, 1900, 1900, 4),
        Noun("Trinket Dish", "colour", 700, 1500, 200, 400, 12),
        Noun("Door Stop", "colour", 1400, 2400, 1300, 2300, 6),
    )),
    Theme("GDN", "Garden Tools", 2.4, 0.14, (SPRING, (265, 28, 0.4)), (
        Noun("Hand Trowel", "wood", 1100, 2200, 320, 900, 12),
        Noun("Bypass Secateurs", "size", 1900, 4200, 260, 700, 12),
        Noun("Watering Can", "colour", 1800, 3600, 1100, 14000, 4),
        Noun("Border Fork", "wood", 2900, 4900, 1700, 9800, 4),
        Noun("Garden Gloves", "size", 700, 1500, 120, 600, 12),
        Noun("Kneeling Mat", "colour", 1000, 1900, 350, 3800, 6),
        Noun("Plant Labels", "set", 400, 1100, 90, 300, 24),
        Noun("Bird Feeder", "metal", 1300, 2900, 600, 3100, 6),
        Noun("Jute Twine", "colour", 400, 800, 150, 300, 24),
        Noun("Garden Trug", "size", 2200, 4200, 1300, 18000, 4),
    )),
    Theme("PLT", "Pots & Planters", 3.0, 0.18, (SPRING, (150, 30, 0.6)), (
        Noun("Terracotta Pot", "size", 600, 2200, 1600, 5200, 6),
        Noun("Glazed Planter", "colour", 1900, 5200, 3200, 11000, 2),
        Noun("Hanging Planter", "colour", 1400, 2600, 900, 5200, 6),
        Noun("Zinc Trough", "size", 2400, 5200, 2300, 19000, 2),
        Noun("Plant Stand", "wood", 2400, 4400, 1700, 14000, 2),
        Noun("Window Box", "colour", 1800, 3400, 1500, 13000, 4),
        Noun("Herb Pot Trio", "colour", 1400, 2400, 1300, 3100, 6),
        Noun("Self-watering Insert", "size", 600, 1400, 250, 1600, 12),
    )),
    Theme("OUT", "Outdoor Living", 4.0, 0.10, (SUMMER, (125, 25, 0.5)), (
        Noun("Fire Pit", "size", 8900, 17900, 11500, 62000, 1),
        Noun("Picnic Blanket", "colour", 2400, 4400, 1100, 6200, 6),
        Noun("Folding Deck Chair", "colour", 4900, 7900, 5200, 26000, 2),
        Noun("BBQ Tool Set", "metal", 2400, 4900, 1300, 4200, 6),
        Noun("Outdoor Cushion", "colour", 1800, 3400, 600, 12000, 6),
        Noun("Cool Bag", "size", 1900, 3600, 700, 8200, 6),
        Noun("Melamine Plate", "set", 1200, 2600, 900, 2900, 6),
        Noun("Parasol", "colour", 5900, 12900, 6800, 31000, 1),
        Noun("Citronella Candle", "size", 600, 1500, 600, 900, 12),
    )),
    Theme("XMS", "Christmas & Seasonal", 2.8, 0.24, ((335, 16, 14.0), (318, 14, 5.0)), (
        Noun("Glass Bauble", "set", 900, 2900, 300, 2600, 12),
        Noun("Door Wreath", "size", 2400, 4900, 900, 14000, 4),
        Noun("Tree Skirt", "colour", 2900, 4900, 1100, 6900, 4),
        Noun("Knitted Stocking", "colour", 1200, 2400, 150, 900, 12),
        Noun("Advent Calendar", "wood", 3400, 5900, 1900, 7200, 4),
        Noun("Cracker Box", "set", 1200, 2900, 400, 4200, 12),
        Noun("Garland", "size", 1600, 3600, 600, 6200, 6),
    )),
)  # fmt: skip

REGIONS: dict[str, tuple[tuple[str, str, float], ...]] = {
    "FXT": (
        ("GB", "London", 0.30), ("GB", "South East", 0.24), ("GB", "East of England", 0.18), ("GB", "South West", 0.14),
        ("GB", "West Midlands", 0.09), ("GB", "Wales", 0.05),
    ),
    "LDS": (
        ("GB", "North West", 0.31), ("GB", "Yorkshire and the Humber", 0.27), ("GB", "Scotland", 0.19),
        ("GB", "North East", 0.13), ("GB", "Northern Ireland", 0.10),
    ),
    "VEN": (
        ("DE", "Nordrhein-Westfalen", 0.30), ("NL", "Noord-Holland", 0.22), ("NL", "Limburg", 0.14),
        ("BE", "Antwerpen", 0.13), ("FR", "Hauts-de-France", 0.12), ("DE", "Hessen", 0.09),
    ),
}  # fmt: skip
