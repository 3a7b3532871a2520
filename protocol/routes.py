"""Every path, part and header that crosses the wire, once. `docs/wire.md` describes them."""

from typing import Final

WIRE_VERSION: Final = 1

# Both programs
HEALTHZ: Final = "/healthz"  # 200 while the process is alive

# Segmentation server
READYZ: Final = "/readyz"  # 200 once the model has run
CUTOUT: Final = "/v1/cutout"  # photo -> cutout
MASK: Final = "/v1/mask"  # photo -> mask

# Desktop agent
PAIR: Final = "/v1/pair"  # one-time token -> device key
STATUS: Final = "/v1/status"  # who the agent is, for a paired device
AIM: Final = "/v1/aim"  # small view -> where a paste would go now
PASTE: Final = "/v1/paste"  # cutout + view -> where it landed
UNDO: Final = "/v1/undo"  # take the last paste back

# Parts of a multipart body
PHOTO_PART: Final = "photo"
CUTOUT_PART: Final = "cutout"
VIEW_PART: Final = "view"
AIM_PART: Final = "aim"  # an AimRequest as JSON
PASTE_PART: Final = "paste"  # a PasteRequest as JSON

# Headers of a cutout or mask, see messages.FoundObject
CONFIDENCE_HEADER: Final = "Object-Confidence"
BOX_HEADER: Final = "Object-Box"
