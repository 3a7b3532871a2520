"""`python -m segmentation_server.evaluation --dataset DIR_OR_ZIP` scores masks against hand-made ones.

Without `--predictions` the server's own model makes the masks. What a data set looks like is told in `dataset.py`.
"""

import sys
from collections.abc import Sequence

from protocol.errors import CopyPasteError


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 2 if there is none, 130 on Ctrl+C."""
    try:
        from segmentation_server.evaluation.evaluate import evaluate, read_options
    except ImportError as error:
        print(f"{error}. Evaluation needs more packages: pip install -e '.[evaluation]'.", file=sys.stderr)
        return 2
    try:
        print(evaluate(read_options(arguments)))
    except CopyPasteError as error:
        print(error.sentence, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        print(f"The evaluation stopped: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
