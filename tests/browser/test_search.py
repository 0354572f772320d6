import re

from playwright.sync_api import Locator, Page, expect
from serving import PATIENCE, choose, until_it_acts, wait_until_drawn

from foxnas_core.search.result import SEARCHES
from foxnas_core.study import Study


def chart(page: Page, words: str) -> Locator:
    """The drawing of the chart with these words on its axes or in its legend."""
    return page.locator('[data-testid="stVegaLiteChart"]', has_text=words).locator("svg")


def wait_until_moved(drawing: Locator) -> None:
    before = drawing.evaluate("node => node.outerHTML")
    expect(drawing).not_to_have_js_property("outerHTML", before)


def start(page: Page) -> None:
    page.locator(".st-key-start button").click()
    # The first search on a machine compiles the annealer's inner loop.
    expect(page.locator(".st-key-progress")).to_contain_text("Running", timeout=5 * PATIENCE)


def count(page: Page) -> int:
    """Proposals made, as the page says."""
    said = page.locator(".st-key-progress").inner_text()
    [number] = re.findall(r"([\d,]+) of [\d,]+ proposals", said)
    return int(number.replace(",", ""))


def settled(page: Page, locator: Locator) -> str:
    """The text once it has stayed the same for a second: keys held down arrive late."""
    text = None
    while text != (text := locator.inner_text()):
        page.wait_for_timeout(1000)
        wait_until_drawn(page)
    return text


def test_what_steers_a_search_is_in_view_and_the_best_subnet_follows_the_budget(page: Page):
    page.goto("/Search")
    for width, height in ((390, 844), (1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        wait_until_drawn(page)
        for key in ("start", "budget"):
            expect(page.locator(f".st-key-{key}").first).to_be_in_viewport()
        expect(chart(page, "Latency (ms)")).to_be_in_viewport(ratio=0.9 if width < 640 else 0.5)

    best = page.locator(".st-key-optimum")
    before = best.inner_text()
    thumb = page.locator(".st-key-budget").get_by_role("slider")
    thumb.focus()
    for _ in range(15):
        thumb.press("ArrowLeft")
    expect(best).not_to_have_text(before)
    expect(page).to_have_url(re.compile("budget="))
    lower = settled(page, best)
    page.reload()
    expect(best).to_have_text(lower, use_inner_text=True)


def test_a_search_is_watched_paused_left_and_stopped(page: Page, own: Study):
    settings = "start_temperature:0.23456,end_temperature:0.004,schedule:linear,seed:9,pace:60"
    page.goto(f"/Search?study={own.folder.name}&annealing={settings}")
    wait_until_drawn(page)
    start(page)
    # The chart moves in its place: its node is kept, not drawn anew.
    course = chart(page, "Gap to the exact optimum")
    course.evaluate("node => node.dataset.kept = 'yes'")
    wait_until_moved(course)
    expect(course).to_have_attribute("data-kept", "yes")

    page.locator(".st-key-pause button").click()
    expect(page.locator(".st-key-progress")).to_contain_text("Paused")
    paused = count(page)
    page.wait_for_timeout(1000)
    assert count(page) == paused

    # The search is the server's: a reload finds it where it was.
    page.reload()
    expect(page.locator(".st-key-progress")).to_contain_text("Paused")
    assert count(page) == paused
    # So does a second tab, which shows the same settings and follows what is done in the first.
    other = page.context.new_page()
    other.set_default_timeout(PATIENCE)
    other.goto(page.url)
    expect(other.locator(".st-key-progress")).to_contain_text("Paused")
    assert count(other) == paused
    for end in ("0.004", "0.235"):
        expect(other.locator(".st-key-temperature")).to_contain_text(end)
    page.locator(".st-key-resume button").click()
    for tab in (page, other):
        expect(tab.locator(".st-key-progress")).to_contain_text("Running")
    page.locator(".st-key-pause button").click()
    expect(other.locator(".st-key-progress")).to_contain_text("Paused")
    page.locator(".st-key-stop button").click()
    for tab in (page, other):
        expect(tab.locator(".st-key-progress")).to_contain_text("Stopped")
        expect(tab.locator(".st-key-pause")).to_have_count(0)
    assert count(page) >= paused
    other.close()


def test_a_finished_search_is_kept_and_leads_on(page: Page, own: Study):
    page.goto(f"/Search?study={own.folder.name}")
    wait_until_drawn(page)
    choose(page, ".st-key-pace", "over a minute")
    start(page)
    wait_until_moved(page.locator(".st-key-moving svg.marks"))
    choose(page, ".st-key-pace", "at full speed")
    expect(page.locator(".st-key-progress")).to_contain_text("Finished")
    [search] = own.ids(SEARCHES)
    result = own.kept(SEARCHES, search)
    assert result.gap == 0
    expect(page.locator(".st-key-progress")).to_contain_text(result.best.architecture.id)
    page.goto(f"/Search?study={own.folder.name}&search={search}")
    expect(page.locator(".st-key-progress")).to_contain_text(result.best.architecture.id)

    page.locator(".st-key-to-what-if button").click()
    expect(page.locator("h1")).to_have_text("What-if")
    expect(page).to_have_url(re.compile("architecture="))


def kept_search(page: Page, own: Study, schedule: str) -> str:
    """Run a search at full speed and return the id that it is kept under."""
    page.goto(f"/Search?study={own.folder.name}")
    wait_until_drawn(page)
    before = set(own.ids(SEARCHES))
    choose(page, ".st-key-pace", "at full speed")
    choose(page, ".st-key-schedule", schedule)
    page.locator(".st-key-start button").click()
    finished = page.locator(".st-key-progress")
    expect(finished).to_contain_text("Finished and kept", timeout=5 * PATIENCE)
    [search] = set(own.ids(SEARCHES)) - before
    return search


def test_a_kept_search_is_replayed_step_by_step_compared_and_deleted(page: Page, own: Study):
    first = kept_search(page, own, "linear")
    second = kept_search(page, own, "adaptive")
    ids = own.ids(SEARCHES)

    page.goto(f"/Search?study={own.folder.name}&search={first}")
    wait_until_drawn(page)
    choose(page, ".st-key-pace", "over a minute")
    page.locator(".st-key-replay").get_by_role("button", name="Replay").click()
    said = page.locator(".st-key-progress")
    expect(said).to_contain_text(f"Running, a replay of kept search {first}")
    wait_until_drawn(page)  # a click on what is being drawn anew is lost
    page.locator(".st-key-pause button").click()
    expect(said).to_contain_text("Paused")
    wait_until_drawn(page)
    # What moves lies on the plane of the measured cloud, to the pixel.
    planes = page.locator(".st-key-watched svg.marks").evaluate_all(
        """charts => charts.slice(-2).map(chart => {
          const plane = chart.querySelector('.role-frame path.background');
          const box = plane.getBoundingClientRect();
          return [box.x, box.y, box.width, box.height].map(Math.round);
        })"""
    )
    assert planes[0] == planes[1]
    held = count(page)
    page.locator(".st-key-step").get_by_role("button", name="Step").click()
    expect(said).not_to_contain_text(f"{held:,} of")
    assert held < count(page) < 2 * held + 1000
    choose(page, ".st-key-pace", "at full speed")
    page.locator(".st-key-resume button").click()
    expect(said).to_contain_text("Finished and kept")
    expect(page).to_have_url(re.compile(f"search={first}"))
    assert own.ids(SEARCHES) == ids  # not kept twice

    page.goto(f"/Search?view=kept&study={own.folder.name}&compare={first},{second}")
    wait_until_drawn(page)
    expect(chart(page, "Best so far")).to_contain_text(second)
    wait_until_drawn(page)
    chart(page, "Best so far").click()
    expect(page.locator(".st-key-point")).to_contain_text("the best so far is predicted at")
    wait_until_drawn(page)
    page.locator(".st-key-ask-delete button").click()
    page.locator(".st-key-delete-now button").click()
    expect(chart(page, "Best so far")).to_have_count(0)
    wait_until_drawn(page)
    assert not {first, second} & set(own.ids(SEARCHES))


def test_the_least_latency_at_a_floor_is_searched_and_kept(page: Page, own: Study):
    page.goto(f"/Search?study={own.folder.name}&budget=0.06")
    wait_until_drawn(page)
    page.get_by_text("What is looked for").click()
    page.locator(".st-key-goal").get_by_text("Least latency").click()
    best = page.locator(".st-key-optimum")
    expect(best).to_contain_text("or more")
    expect(page).to_have_url(re.compile("goal=latency"))
    wait_until_drawn(page)
    before = best.inner_text()
    page.locator(".st-key-floor").get_by_role("slider").press("ArrowLeft")
    expect(best).not_to_have_text(before, use_inner_text=True)
    expect(page).to_have_url(re.compile("floor="))
    wait_until_drawn(page)
    choose(page, ".st-key-pace", "at full speed")
    kept = set(own.ids(SEARCHES))
    page.locator(".st-key-start button").click()
    expect(page.locator(".st-key-progress")).to_contain_text("Finished", timeout=5 * PATIENCE)
    expect(chart(page, "Gap to the exact optimum (ms)")).to_be_visible()
    [search] = set(own.ids(SEARCHES)) - kept
    assert own.kept(SEARCHES, search).sides == ("at_least",)


def test_budget_and_temperature_act_on_the_running_search_and_replay(page: Page, own: Study):
    page.goto(f"/Search?study={own.folder.name}&budget=0.06&annealing=begin:smallest,pace:60")
    wait_until_drawn(page)
    start(page)
    said = page.locator(".st-key-progress")
    before = re.search(r"under [\d.]+ ms", said.inner_text())
    assert before
    thumb = page.locator(".st-key-budget").get_by_role("slider")

    def move(patience: float) -> None:
        thumb.press("ArrowRight")
        expect(said).not_to_contain_text(before[0], timeout=patience)

    until_it_acts(move)
    wait_until_drawn(page)
    page.locator(".st-key-reheat").get_by_role("button", name="Reheat").click()
    expect(chart(page, "Gap to the exact optimum")).to_contain_text("reheated")
    wait_until_drawn(page)
    choose(page, ".st-key-pace", "at full speed")
    expect(said).to_contain_text("Finished and kept")
    [search] = own.ids(SEARCHES)
    *moves, reheat = own.kept(SEARCHES, search).events
    assert moves and all(event.bound is not None for event in moves)
    assert reheat.bound is None and reheat.start_temperature
    expect(page).to_have_url(re.compile(f"search={search}"))
    wait_until_drawn(page)
    page.locator(".st-key-replay").get_by_role("button", name="Replay").click()
    expect(page).to_have_url(re.compile(f"search={search}"))
    expect(page.locator(".stAlert")).to_have_count(0)
    assert own.ids(SEARCHES) == [search]
