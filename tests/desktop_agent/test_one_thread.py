"""Libraries compute in the thread that calls them."""

import json
import subprocess
import sys

ASK = """
import json, cv2, numpy
from threadpoolctl import threadpool_info
from desktop_agent.one_thread import keep_to_one_thread
keep_to_one_thread()
of_blas = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
print(json.dumps([cv2.getNumThreads(), *of_blas]))
"""


def test_opencv_and_numpy_keep_to_one_thread() -> None:
    answer = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True).stdout

    threads = json.loads(answer)
    assert len(threads) > 1  # NumPy's algebra was found
    assert set(threads) == {1}
