"""Charts as inline SVG drawn on the server: crisp, printable, dark-mode aware through CSS classes, readable aloud.

Pure functions: numbers in, markup out. Every chart is drawn twice, for wide and for narrow screens, and CSS shows one.
"""

from config.kernel.charts.bars import bar_chart, level_bar
from config.kernel.charts.canvas import Figure
from config.kernel.charts.curve import Point, curve_chart
from config.kernel.charts.effect import Seen, effect_chart
from config.kernel.charts.fan import FanData, fan_chart
from config.kernel.charts.lines import Line, line_chart
from config.kernel.charts.outlook import OutlookData, Special, outlook_chart
from config.kernel.charts.spark import sparkline
from config.kernel.charts.stock import StockData, stock_chart

__all__ = [
    "FanData",
    "Figure",
    "Line",
    "OutlookData",
    "Point",
    "Seen",
    "Special",
    "StockData",
    "bar_chart",
    "curve_chart",
    "effect_chart",
    "fan_chart",
    "level_bar",
    "line_chart",
    "outlook_chart",
    "sparkline",
    "stock_chart",
]
