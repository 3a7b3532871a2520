"""The phone: tap a thing and it is copied, tap a monitor and it is pasted there."""
