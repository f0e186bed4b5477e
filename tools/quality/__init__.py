"""The quality benchmark: the demo speaker against its truth, real clips against themselves, each beside its nulls."""
