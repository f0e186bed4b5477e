"""How good a fitted or edited speaker is: every figure beside its control, with its direction and its source."""
