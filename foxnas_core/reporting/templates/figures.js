"use strict";
// The figures: each drawn by Plotly once it is seen, in the colours of the screen or of paper.
window.figures = (() => {
  const dark = JSON.parse(document.getElementById("dark").textContent);
  const screen = matchMedia("(prefers-color-scheme: dark)");
  const paper = matchMedia("print");
  const described = new Map();
  const drawn = new Set();

  // The policy forbids styles as attributes, which this one means the same without.
  const plain = Element.prototype.setAttribute;
  Element.prototype.setAttribute = function (name, value) {
    if (name === "style") this.style.cssText = value;
    else plain.call(this, name, value);
  };

  const parts = (colour) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16)).join(", ");
  const faint = Object.fromEntries(Object.entries(dark).map((both) => both.map(parts)));

  // A colour of the light theme as the dark one has it; all else stays.
  function inDark(value) {
    if (typeof value !== "string") return value;
    const [, colour, rest] = /^rgba?\((\d+, \d+, \d+)(.*)\)$/.exec(value) ?? [];
    return faint[colour] ? `rgba(${faint[colour]}${rest || ", 1"})` : dark[value] ?? value;
  }

  function draw(place) {
    drawn.add(place);
    const light = paper.matches || !screen.matches;
    const {data, layout} = JSON.parse(described.get(place), (key, v) => light ? v : inDark(v));
    Plotly.react(place, data, {height: 380, ...layout, width: paper.matches ? 640 : undefined}, {
      responsive: true, displayModeBar: false,
    });
  }

  function change(place, edit) {
    const figure = JSON.parse(described.get(place));
    edit(figure);
    described.set(place, JSON.stringify(figure));
    if (drawn.has(place)) draw(place);
  }

  const seen = new IntersectionObserver((entries) => entries.forEach(({isIntersecting, target}) => {
    if (isIntersecting && !drawn.has(target)) draw(target);
  }), {rootMargin: "500px"});
  for (const place of document.querySelectorAll(".plot")) {
    const text = place.nextElementSibling.textContent;
    described.set(place, text);
    place.style.minHeight = `${JSON.parse(text).layout.height ?? 380}px`;
    place.hidden = false;
    seen.observe(place);
  }
  screen.addEventListener("change", () => drawn.forEach(draw));
  // What is folded is on no paper.
  const shown = (place) => place.checkVisibility();
  paper.addEventListener("change", () => [...described.keys()].filter(shown).forEach(draw));
  return {change};
})();
