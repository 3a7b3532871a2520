"""what speaks for a mapping -> the probability that its point is right."""

import math

import numpy as np

from desktop_agent.mapping import Fit
from desktop_agent.search import Candidate

# Fitted by `python -m benchmarks.judge`, see there.
BIAS = -11.46
WEIGHTS = (3.25, 2.48, 8.12, 1.6, 0.0, 2.0)
FEWEST_EDGES = 8  # to have a say
ENOUGH_BLOCKS, ENOUGH_INLIERS = 40, 60  # more say no more
WIDEST_PX = 20.0  # of radii that are told apart


def probability(candidate: Candidate, refined: Fit) -> float:
    """0 to 1: that the point under the aim is right."""
    return 1 / (1 + math.exp(-(BIAS + float(np.dot(WEIGHTS, evidence(candidate, refined))))))


def evidence(candidate: Candidate, refined: Fit) -> tuple[float, ...]:
    """Numbers from 0 to 1, the more the likelier it is right."""
    agreement = candidate.agreement
    return (
        agreement.share,
        agreement.share_near_aim,
        agreement.share_of_edges if agreement.edges >= FEWEST_EDGES else 1.0,
        math.log1p(min(agreement.blocks, ENOUGH_BLOCKS)) / math.log1p(ENOUGH_BLOCKS),
        math.log1p(min(candidate.inliers, ENOUGH_INLIERS)) / math.log1p(ENOUGH_INLIERS),
        1 - math.log1p(min(refined.radius_95, WIDEST_PX)) / math.log1p(WIDEST_PX),
    )
