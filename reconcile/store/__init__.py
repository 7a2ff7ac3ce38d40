"""Floor 3: the state database: baselines, stat index, journal, runs, versions."""
