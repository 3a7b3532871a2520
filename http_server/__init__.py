"""What both servers share below their routes: a listener for the open network, errors in JSON. See docs/decisions."""
