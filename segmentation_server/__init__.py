"""photo -> mask -> cutout."""
