"""A small chart of numbers on their days: it draws whatever comes, and says what it shows."""

from datetime import date
from decimal import Decimal

from defusedxml import ElementTree
from hypothesis import given
from hypothesis import strategies as st

from panel.web.series import HEIGHT, WIDTH, Point, Series, drawn, plain, span

SVG = "{http://www.w3.org/2000/svg}"
NUMBERS = st.decimals(-1000, 100_000, places=2)
POINTS = st.lists(
    st.builds(Point, st.dates(date(2020, 1, 1), date(2040, 1, 1)), NUMBERS), min_size=1, max_size=40
).map(lambda points: sorted(points, key=lambda one: one.on))


@given(POINTS, st.none() | NUMBERS, st.text(min_size=1, max_size=20).filter(str.isprintable))
def test_it_is_drawn_within_its_frame(points: list[Point], aim: Decimal | None, title: str) -> None:
    lowest, highest = span([*(one.value for one in points), *([] if aim is None else [aim])])
    chart = drawn(Series("a-series", title, "It goes up.", points, lowest, highest, aim))
    image = ElementTree.fromstring(str(chart))
    assert image.get("role") == "img"
    assert image.get("aria-labelledby") == "a-series-title a-series-desc"
    assert image.findtext(f"{SVG}title") == title
    assert image.findtext(f"{SVG}desc") == "It goes up."
    assert "style" not in str(chart)
    circles = image.findall(f"{SVG}circle")
    assert len(circles) == len(points)
    for one in circles:
        assert 0 <= int(one.get("cx", "")) <= WIDTH
        assert 0 <= int(one.get("cy", "")) <= HEIGHT
    across = [int(one.get("cx", "")) for one in circles]
    assert across == sorted(across)


def test_numbers_are_written_plainly() -> None:
    assert [plain(Decimal(one)) for one in ("3.00", "2.50", "100", "0.00")] == [
        "3", "2.5", "100", "0",
    ]  # fmt: skip
