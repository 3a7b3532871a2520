"""Where python-for-android starts the phone app; on a computer it is `python -m mobile_client`."""

import sys

from mobile_client.__main__ import main

if __name__ == "__main__":
    sys.exit(main([]))
