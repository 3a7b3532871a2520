"""The desktop agent: view + screenshot -> screen point -> paste."""
