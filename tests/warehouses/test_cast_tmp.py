def test_world(world):
    from warehouses.selectors.stock import stock_positions, drifting_levels
    print(stock_positions()); assert drifting_levels()==[]
