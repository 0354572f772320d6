import json
import re
from urllib.parse import parse_qs, urlparse

from playwright.sync_api import Browser, Locator, Page, expect
from serving import Server, choose, choose_part, context_of, wait_until_drawn

from foxnas_core.families import family_of
from foxnas_core.regression import fit
from foxnas_core.study import Study
from foxnas_core.study.variants import VARIANTS

NUMBERS = '[data-testid="stMetricValue"]'


def cell(page: Page, name: str, of: str = "picture") -> Locator:
    return page.locator(f'.st-key-{of} [data-cell="{name}"]')


def start_from_the_smallest(page: Page, study: Study) -> None:
    page.goto(f"/What_if?study={study.folder.name}")
    wait_until_drawn(page)
    page.locator(".st-key-pick-smallest button").click()
    expect(cell(page, "s1b2")).to_have_text("off")
    expect(page.get_by_text("Nothing yet")).to_be_visible()
    wait_until_drawn(page)


def in_address(page: Page, demo: Study):
    [text] = parse_qs(urlparse(page.url).query)["architecture"]
    return demo.space.architecture(json.loads(text))


def test_an_edit_moves_the_numbers_and_can_be_shared(
    page: Page, demo: Study, browser: Browser, server: Server
):
    start_from_the_smallest(page, demo)
    before = page.locator(NUMBERS).all_text_contents()

    # A click opens the cell's choices, and one of them changes it.
    cell(page, "s2b1").click()
    expect(page.locator(".st-key-scope input:visible")).to_have_value("s2b1")
    kernel = page.locator('[class*="st-key-set-kernel"]:visible')
    kernel.get_by_role("radio", name="5").click()
    expect(cell(page, "s2b1")).to_have_text("k5 e1")
    wait_until_drawn(page)
    page.keyboard.press("ArrowRight")  # from where the click left the focus
    page.keyboard.press("Space")
    expect(cell(page, "s2b1")).to_have_attribute("aria-label", "s2b1: kernel 7, expand 1, differs")
    wait_until_drawn(page)  # else the figure before may be there beside it
    expect(page.locator(".st-key-edits-figure")).to_contain_text("2. s2b1 kernel 5 → 7")
    wait_until_drawn(page)
    after = page.locator(NUMBERS).all_text_contents()
    assert all(a != b for a, b in zip(before, after, strict=True))

    # The numbers are the predictors', of the architecture in the address.
    edited = in_address(page, demo)
    assert edited.get("s2b1_kernel") == 7
    value = fit(demo.table(), "accuracy").predict([edited])["value"].iloc[0]
    assert f"{value:.2f}" in after[0]

    # The numbers stay in view.
    page.locator(".st-key-to-export").scroll_into_view_if_needed()
    expect(page.locator(NUMBERS).first).to_be_in_viewport()

    # Whoever gets the link sees the same.
    context = context_of(browser, server)
    other = context.new_page()
    other.goto(page.url)
    expect(other.locator(NUMBERS)).to_have_text(after)
    expect(cell(other, "s2b1")).to_have_text("k7 e1")
    context.close()


def test_the_picture_is_edited_by_keys_without_losing_one(page: Page, demo: Study):
    start_from_the_smallest(page, demo)
    cell(page, "s1b1").focus()
    page.keyboard.press("Enter")
    # Faster than the server answers: each key counts all the same.
    for key in ("k", "e", "e", "ArrowDown", "k", "k", "Shift+E", "d", "r"):
        page.keyboard.press(key)
    expect(cell(page, "s1b1")).to_have_text("k5 e3")
    expect(cell(page, "s2b1")).to_have_text("k7 e4")
    expect(cell(page, "s2b2")).to_have_text("k3 e1")
    # The resolution is no choice of a block's, and is stepped all the same.
    expect(page.locator(".st-key-keys")).to_contain_text("r resolution")
    expect(cell(page, "input")).to_have_text("18 px")
    expect(cell(page, "s2b1")).to_be_focused()
    expect(page.locator(".st-key-scope input:visible")).to_have_value("s2b1")

    # A block is turned on with Enter and off with Delete; shortcuts undo and redo.
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(cell(page, "s2b3")).to_have_text("k3 e1")
    page.keyboard.press("Delete")
    expect(cell(page, "s2b3")).to_have_text("off")
    wait_until_drawn(page)
    page.keyboard.press("Control+z")
    expect(cell(page, "s2b3")).to_have_text("k3 e1")
    wait_until_drawn(page)
    page.keyboard.press("Control+y")
    expect(cell(page, "s2b3")).to_have_text("off")
    wait_until_drawn(page)
    assert in_address(page, demo)["s2_depth"] == 2
    assert in_address(page, demo)["resolution"] == 18


def test_a_stage_is_edited_at_once_undone_and_redone(page: Page, demo: Study):
    start_from_the_smallest(page, demo)
    cell(page, "s3b3").click()  # off until it is clicked
    expect(cell(page, "s3")).to_have_text("depth 3")
    page.locator(".st-key-picture").get_by_role("button", name="Stage 3").click()
    expect(page.locator(".st-key-scope input:visible")).to_have_value("All of stage 3")
    page.locator('[class*="st-key-set-kernel"]:visible').get_by_role("radio", name="5").click()
    blocks = page.locator('.st-key-picture [data-cell^="s3b"]')
    expect(blocks).to_have_text(["k5 e1"] * 3)
    page.locator(".st-key-undo button").click()
    expect(blocks).to_have_text(["k3 e1"] * 3)
    page.locator(".st-key-undo button").click()
    expect(blocks).to_have_text(["k3 e1", "off", "off"])
    page.locator(".st-key-redo button").click()
    wait_until_drawn(page)
    page.locator(".st-key-redo button").click()
    expect(blocks).to_have_text(["k5 e1"] * 3)


def test_a_variant_is_kept_and_compared_with(page: Page, own: Study):
    start_from_the_smallest(page, own)
    page.locator(".st-key-variants button").click()
    name = page.locator(".st-key-variant-name input")
    name.fill("my variant")
    name.press("Enter")
    page.locator(".st-key-variant-save button").click()
    expect(page.locator(".st-key-variants").get_by_text("Variants (1)")).to_be_visible()
    page.keyboard.press("Escape")
    wait_until_drawn(page)
    assert [v.name for v in own.record(VARIANTS)] == ["my variant"]

    cell(page, "s1b1").click()
    page.keyboard.press("k")
    choose(page, ".st-key-against", "variant my variant")
    expect(cell(page, "s1b1", "other-picture")).to_have_attribute(
        "aria-label", "s1b1: kernel 3, expand 1, differs"
    )
    expect(cell(page, "s1b1")).to_have_attribute("aria-label", re.compile("kernel 5.*differs"))
    expect(page.locator(".st-key-difference-download")).to_be_visible()
    expect(page.get_by_text("1 of 22 decisions")).to_be_visible()
    expect(page).to_have_url(re.compile("against=variant%3Amy\\+variant"))


def test_the_numbers_leave_room_for_the_picture_on_a_phone(browser: Browser, server: Server):
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    context = context_of(browser, server, **phone)
    page = context.new_page()
    page.goto("/What_if")
    wait_until_drawn(page)
    # There are no keys to press.
    expect(page.locator(".st-key-undo")).to_have_text(re.compile("Undo"))
    expect(page.locator(".st-key-undo kbd")).to_be_hidden()
    expect(page.locator(".st-key-keys")).to_be_hidden()
    last = page.locator(NUMBERS).last
    last.scroll_into_view_if_needed()
    expect(last).to_be_in_viewport()
    pinned = page.locator("div:has(> .st-key-predictions)").bounding_box()
    assert pinned and pinned["height"] < 844 / 4
    context.close()


def number(page: Page, name: str) -> Locator:
    """What the table beside the graph tells of one column."""
    rows = page.locator('[data-testid="stDataFrame"]').first.locator('tr[role="row"]')
    return rows.filter(has_text=name).locator('[role="gridcell"]').nth(1)


def test_a_cell_is_edited_edge_by_edge_on_its_graph(page: Page, devices: Study):
    page.goto(f"/What_if?study={devices.folder.name}")
    wait_until_drawn(page)
    page.locator(".st-key-pick-largest button").click()
    expect(cell(page, "edge_0_3")).to_have_text("nor_conv_3x3")
    wait_until_drawn(page)
    expect(page.locator(".st-key-picture .graph .node")).to_have_text(["in", "1", "2", "out"])

    names = ("Top-1 accuracy (%)", "board (ms)", "server (ms)", "Energy (board) (mJ)", "MACs")
    before = {name: number(page, name).text_content() for name in names}

    # An edge's operation is picked from the list, or stepped through by its letter.
    cell(page, "edge_2_3").click()
    expect(page.locator(".st-key-scope input:visible")).to_have_value("edge_2_3")
    choose(page, '[class*="st-key-set-operation"]', "none")
    expect(cell(page, "edge_2_3")).to_have_text("none")
    wait_until_drawn(page)
    # What only node 2 would hand on is dead, and drawn so.
    for dead in ("edge_2_3", "edge_1_2", "edge_0_2"):
        expect(cell(page, dead)).to_have_class(re.compile(r"\boff\b"))
    expect(cell(page, "edge_1_3")).not_to_have_class(re.compile(r"\boff\b"))
    cell(page, "edge_1_3").click()
    page.keyboard.press("o")
    expect(cell(page, "edge_1_3")).to_have_text("avg_pool_3x3")
    wait_until_drawn(page)
    edited = in_address(page, devices)
    assert edited["edge_2_3"] == "none" and edited["edge_1_3"] == "avg_pool_3x3"
    for name, value in before.items():
        expect(number(page, name)).not_to_have_text(str(value))

    # Another is asked for by its line of text, or its number.
    family, [other] = family_of(devices.space), devices.space.sample(1, seed=77)
    for text in (family.write(devices.space, other), "6111"):
        asked = page.locator(".st-key-asked input")
        asked.fill(text)
        asked.press("Enter")
        expect(page.locator(".st-key-says-numbers")).to_contain_text(
            f"number {family.number(devices.space, family.read(devices.space, text)):,} of"
        )
        wait_until_drawn(page)
    assert in_address(page, devices) == family.read(devices.space, "6111")


def test_a_goal_is_applied_by_one_click_and_undone_by_another(page: Page, demo: Study):
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"/What_if?study={demo.folder.name}")
    wait_until_drawn(page)
    page.locator(".st-key-pick-largest button").click()
    expect(cell(page, "s3b3")).to_have_text("k7 e4")
    wait_until_drawn(page)
    before, latency = in_address(page, demo), page.locator(NUMBERS).nth(1)
    told = float(latency.inner_text())
    # Two clicks from here to its answer, applied.
    page.locator(".st-key-quick-goal").get_by_text("Save 20 %").click()
    expect(page.locator(".st-key-says-answer")).to_contain_text("with a chance of")
    page.locator(".st-key-quick-apply button").click()
    expect(page.locator(".st-key-quick-apply")).to_have_count(0)
    wait_until_drawn(page)
    assert in_address(page, demo) != before
    assert float(latency.inner_text()) <= 0.801 * told
    page.locator(".st-key-undo button").click()
    expect(cell(page, "s3b3")).to_have_text("k7 e4")
    wait_until_drawn(page)
    assert in_address(page, demo) == before and float(latency.inner_text()) == told


def test_a_subnet_is_explained_on_one_page_and_its_neighbour_too(page: Page, demo: Study):
    page.goto(f"/What_if?study={demo.folder.name}&view=explained")
    wait_until_drawn(page)
    known = page.locator(".st-key-says-individual")
    expect(known).to_contain_text("was not measured")
    for part, keys in (
        ("", ("individual", "contributions")),
        ("Their shares", ("shapley-accuracy", "shapley-latency_ms")),
    ):
        if part:
            choose_part(page, "explained-shown", part)
        for key in keys:
            expect(page.locator(f".st-key-{key}-figure .js-plotly-plot")).to_be_visible()
    page.get_by_role("radio", name="Every single edit").click()
    expect(page.locator(".st-key-steps-figure .js-plotly-plot")).to_be_visible()
    page.get_by_role("radio", name="Measured subnets near it").click()
    # A measured neighbour is looked at in its turn.
    rows = page.locator(".st-key-neighbours-table canvas").first
    rows.scroll_into_view_if_needed()
    rows.click(position={"x": 16, "y": 54}, force=True)
    expect(known).to_contain_text("was measured")
    wait_until_drawn(page)
    # It is what the editor edits.
    page.locator(".st-key-to-editor button").click()
    expect(page.locator(".st-key-picture")).to_be_visible()
    wait_until_drawn(page)
    table = demo.table()
    assert in_address(page, demo).id in set(table.frame["id"])


def test_the_numbers_stay_below_the_header_and_nothing_is_clipped(page: Page, demo: Study):
    page.goto(f"/What_if?study={demo.folder.name}")
    for width, height in ((1440, 900), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        wait_until_drawn(page)
        page.locator(".st-key-to-export").scroll_into_view_if_needed()
        header = page.locator('[data-testid="stHeader"]').bounding_box()
        label = page.locator('[data-testid="stMetricLabel"]').first.bounding_box()
        assert header and label and label["y"] >= header["y"] + header["height"]
        tops = [
            box["y"]
            for place in page.locator(NUMBERS).all()[:2]
            if (box := place.bounding_box()) is not None
        ]
        assert len(set(tops)) == 1
        page.wait_for_function("document.documentElement.scrollWidth <= innerWidth")
