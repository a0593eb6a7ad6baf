"""Search for policies that have no exact model: a genetic algorithm and annealing, kept only where they win."""
