"""Student's t-distribution: how likely is a deviation this large, and how large is one this likely?

Own lines, as scipy would weigh more than everything else we depend on (docs/decisions/tolerances.md).
"""

from __future__ import annotations

import functools
import math

_PRECISION = 1e-15  # of the continued fraction, relative
_TERMS = 10_000  # far more than any degrees of freedom need
_TINY = 1e-300


def two_sided_p(t: float, degrees_of_freedom: float) -> float:
    """Probability that |T| is at least |t|, for T of Student's distribution.

    Args:
        degrees_of_freedom: above 0; may have a fraction.
    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.1 and 26.5.27.
    """
    if math.isinf(t):
        return 0.0
    near = degrees_of_freedom / (degrees_of_freedom + t * t)
    far = t * t / (degrees_of_freedom + t * t)  # 1 - near, without its loss of digits
    return _incomplete_beta(near, far, degrees_of_freedom / 2, 0.5)


@functools.lru_cache(maxsize=64)
def critical_value(rate: float, degrees_of_freedom: float) -> float:
    """The t whose `two_sided_p` is `rate`, which lies between 0 and 1.

    Newton's method from 0: the tail is convex, so each step stays on the near side of the answer.
    """
    t, step = 0.0, 1.0
    while step > 1e-13 * t:
        step = (two_sided_p(t, degrees_of_freedom) - rate) / (2 * _density(t, degrees_of_freedom))
        t += step
    return t


def _density(t: float, degrees_of_freedom: float) -> float:
    half = (degrees_of_freedom + 1) / 2
    log_scale = (
        math.lgamma(half) - math.lgamma(degrees_of_freedom / 2) - math.log(degrees_of_freedom * math.pi) / 2
    )
    return math.exp(log_scale - half * math.log1p(t * t / degrees_of_freedom))


def _incomplete_beta(x: float, rest: float, a: float, b: float) -> float:
    """Regularised incomplete beta function I_x(a, b); `rest` is 1 - x."""
    if x <= 0 or rest <= 0:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):  # the fraction converges quickly on the other side only
        return 1.0 - _incomplete_beta(rest, x, b, a)
    log_factor = a * math.log(x) + b * math.log(rest) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    return math.exp(log_factor) / (a * _fraction(x, a, b))


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction 1 + d1/(1 + d2/(1 + …)) of 26.5.8, by Lentz's method.

    Raises:
        ArithmeticError: it does not converge; no finite t and degrees of freedom do that.
    """
    value, c, d = 1.0, 1.0, 0.0
    for term in range(1, _TERMS):
        m = term // 2
        if term % 2:
            step = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            step = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1.0 / _not_zero(1.0 + step * d)
        c = _not_zero(1.0 + step / c)
        value *= c * d
        if abs(c * d - 1.0) < _PRECISION:
            return value
    raise ArithmeticError(f"incomplete beta function of {x}, {a}, {b} does not converge")


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
