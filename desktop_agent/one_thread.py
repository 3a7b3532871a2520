"""Threads of libraries: pictures here are small, and threads that wait for each other cost more than they save."""

import cv2
from threadpoolctl import threadpool_limits


def keep_to_one_thread() -> None:
    """From now on OpenCV, and NumPy's algebra, compute in the thread that calls them; a search has two of its own."""
    cv2.setNumThreads(1)
    threadpool_limits(1, "blas")
