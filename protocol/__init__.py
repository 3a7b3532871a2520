"""What crosses between two programs: routes, messages, errors, geometry and pairing. Standard library only."""
