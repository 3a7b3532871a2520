"""A whole copy and paste on this machine: real programs, a virtual desktop, and a camera that is computed."""
