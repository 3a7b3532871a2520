"""How good are the masks? Measures on data sets, as in the paper's sections 4.2 to 4.4."""
