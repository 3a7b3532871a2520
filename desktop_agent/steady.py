"""what two views say, one after the other -> whether one phone that is held up took both, and what they say together.

Views of one moment err together: another document in the same program, or lines that moved on, look the same in all of
them. So earlier views settle at most half of a doubt, and only where nothing in the view speaks against its answer:
then the doubt is that there is little to see, and each view is a look of its own. Believing earlier views by more, or
whatever speaks against an answer, accepts wrong places too.
"""

import numpy as np

from desktop_agent.agreement import Agreement
from desktop_agent.features import Points
from desktop_agent.judge import FEWEST_EDGES

STEADY_SHARE = 0.25  # of the view's width: what a hand moves from one view to the next
OWN_SHARE = 0.5  # of what an earlier view says that this one does not say already
UNDISPUTED = 0.95  # share of the blocks that agree, of all and of those near the aim
UNDISPUTED_EDGES = 0.8  # the same of straight edges, if there are enough to have a say


def is_steady(corners_before: Points, corners_now: Points) -> bool:
    """Whether two views show about the same part of a screen.

    Args:
        corners_before: (4, 2), of the earlier view, on the screen, the first two along its upper side.
        corners_now: of this one.
    """
    moved = np.linalg.norm(corners_now - corners_before, axis=1).max()
    return bool(moved <= STEADY_SHARE * np.linalg.norm(corners_before[1] - corners_before[0]))


def is_undisputed(agreement: Agreement) -> bool:
    """Whether nearly all that can tell in a view looks like the screen."""
    do_edges_agree = agreement.edges < FEWEST_EDGES or agreement.share_of_edges >= UNDISPUTED_EDGES
    return do_edges_agree and min(agreement.share, agreement.share_near_aim) >= UNDISPUTED


def together(probability: float, before: float) -> float:
    """The probability of being right once a view before says the same."""
    return 1 - (1 - probability) * (1 - OWN_SHARE * before)
