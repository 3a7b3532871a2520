"""photos + truths -> weights. Needs the extra `torch`; the server never imports it."""
