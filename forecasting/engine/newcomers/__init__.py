"""Items with little or no past of their own, and items that leave: like items, launches, successors, phase-out.

early.py      what is known of a young item at each origin
likeitems.py  what items alike sell (category, price, other attributes), and how far an item's own few sales count
curve.py      how demand goes on after a launch, and how it fades before an end
expected.py   the mean path of a young item
learning.py   all that the panel's earlier launches teach: means and quantiles at the same age
reading.py    forecasts of young items from it
kinship.py    who succeeds whom, when items launch and end
handover.py   a predecessor's past for its successor, and how forecasts ramp up
phaseout.py   how they fade and stop at the end
"""
