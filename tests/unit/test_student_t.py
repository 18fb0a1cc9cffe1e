"""Student's distribution against published tables."""

from __future__ import annotations

import math

import pytest

from reprobuild.core.student_t import critical_value, two_sided_p

# As every textbook prints them, such as Fisher and Yates, Statistical Tables, table III.
# degrees of freedom -> values for two-sided rates of 0.20, 0.10, 0.05, 0.02, 0.01, 0.002
RATES = (0.20, 0.10, 0.05, 0.02, 0.01, 0.002)
PUBLISHED = {
    1: (3.078, 6.314, 12.706, 31.821, 63.657, 318.309),
    2: (1.886, 2.920, 4.303, 6.965, 9.925, 22.327),
    5: (1.476, 2.015, 2.571, 3.365, 4.032, 5.893),
    9: (1.383, 1.833, 2.262, 2.821, 3.250, 4.297),
    10: (1.372, 1.812, 2.228, 2.764, 3.169, 4.144),
    30: (1.310, 1.697, 2.042, 2.457, 2.750, 3.385),
    100: (1.290, 1.660, 1.984, 2.364, 2.626, 3.174),
}


@pytest.mark.parametrize("freedom", PUBLISHED)
def test_critical_values_are_those_of_published_tables(freedom: int) -> None:
    found = tuple(round(critical_value(rate, freedom), 3) for rate in RATES)
    assert found == pytest.approx(PUBLISHED[freedom], abs=1.5e-3)


@pytest.mark.parametrize("freedom", PUBLISHED)
@pytest.mark.parametrize("t", [0.0, 1e-9, 0.3, 1.0, 2.5, 40.0])
def test_known_closed_forms_and_the_inverse(freedom: int, t: float) -> None:
    p = two_sided_p(t, freedom)
    assert 0 <= p <= 1
    assert two_sided_p(-t, freedom) == p
    if freedom == 1:  # Cauchy's distribution
        assert p == pytest.approx(1 - 2 * math.atan(t) / math.pi, rel=1e-9, abs=1e-12)
    if freedom == 2:
        assert p == pytest.approx(1 - t / math.sqrt(2 + t * t), rel=1e-9, abs=1e-12)
    if 1e-6 < t < 10:
        assert critical_value(p, freedom) == pytest.approx(t, rel=1e-9)


@pytest.mark.parametrize("freedom", [1.5, 4.7494, 9, 61.3])
@pytest.mark.parametrize("t", [0.2, 1.0, 2.7175, 6.0])
def test_it_is_the_integral_of_the_density(freedom: float, t: float) -> None:
    """Simpson's rule over the density between -t and t; degrees of freedom may have a fraction."""
    scale = math.gamma((freedom + 1) / 2) / math.gamma(freedom / 2) / math.sqrt(freedom * math.pi)
    points = [t * (2 * n / 1000 - 1) for n in range(1001)]
    density = [scale * (1 + x * x / freedom) ** (-(freedom + 1) / 2) for x in points]
    inside = (density[0] + density[-1] + 4 * sum(density[1:-1:2]) + 2 * sum(density[2:-1:2])) * 2 * t / 3000
    assert two_sided_p(t, freedom) == pytest.approx(1 - inside, abs=1e-9)


def test_many_degrees_of_freedom_are_the_normal_distribution() -> None:
    assert two_sided_p(1.959964, 1e7) == pytest.approx(0.05, abs=1e-6)


def test_extremes_are_numbers_still() -> None:
    assert two_sided_p(math.inf, 9) == 0
    assert 0 < two_sided_p(1e6, 9) < 1e-40
    assert two_sided_p(1e300, 9) == 0
