"""what speaks for a mapping -> the probability that its point is right."""

import math

import numpy as np

from desktop_agent.agreement import Agreement

# A logistic regression on 213 candidates of simulated photographs, seeds 501 and 601, 22 of them wrong;
# `python -m benchmarks.judge --cases DIR --screens DIR` fits it again.
BIAS = -5.18
WEIGHTS = (3.07, 0.53, 1.76, 3.58, 1.93)
FEWEST_EDGES, FEWEST_BLOCKS = 8, 8  # to have a say
LEAST_AGREEING = 0.5  # of the blocks: the same program with another page has the same frame, in the same place
WITHOUT_EDGES = 0.8
DOUBT = 2.0  # standard deviations that a share of few blocks is taken to be smaller than it looks
WIDEST_PX = 20.0  # of radii that are told apart


def probability(agreement: Agreement, radius_95: float) -> float:
    """0 to 1: that the point under the aim is right, on a screen that shows what the view shows.

    Args:
        agreement: of the view with the screen.
        radius_95: as the fit tells it, in screen pixels.
    """
    likely = 1 / (1 + math.exp(-(BIAS + float(np.dot(WEIGHTS, evidence(agreement, radius_95))))))
    agreeing = min(agreement.share, agreement.share_near_aim)
    is_other = agreement.blocks >= FEWEST_BLOCKS and agreeing < LEAST_AGREEING
    return min(likely, agreeing) if is_other else likely


def evidence(agreement: Agreement, radius_95: float) -> tuple[float, ...]:
    """Numbers from 0 to 1, the more the likelier it is right.

    Args:
        agreement: of the view with the screen.
        radius_95: as the fit tells it, in screen pixels.
    """
    everything = agreement.blocks + agreement.edges
    agreeing = agreement.blocks * agreement.share + agreement.edges * agreement.share_of_edges
    share = at_least(agreeing / max(everything, 1), everything)
    has_edges = agreement.edges >= FEWEST_EDGES
    share_of_edges = at_least(agreement.share_of_edges, agreement.edges) if has_edges else WITHOUT_EDGES
    narrowness = 1 - math.log1p(min(radius_95, WIDEST_PX)) / math.log1p(WIDEST_PX)
    return share, agreement.share_near_aim, share_of_edges, min(share, share_of_edges), narrowness


def at_least(share: float, count: int) -> float:
    """The lower end of what a share, counted on so few, may be in truth (Wilson 1927)."""
    if not count:
        return 0.0
    squared = DOUBT**2
    spread = DOUBT * math.sqrt(share * (1 - share) / count + squared / (4 * count**2))
    return (share + squared / (2 * count) - spread) / (1 + squared / count)
