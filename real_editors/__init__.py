"""Real editors on a virtual screen, to paste into: for the benchmark and the tests of pasting."""
