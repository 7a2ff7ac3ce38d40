"""Floor 2: judgement. Pure functions of trees, rules and limits; sorted, deterministic."""
