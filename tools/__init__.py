"""Benchmarks and other tools: run by people, imported by nobody."""
