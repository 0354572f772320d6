// Draws a network's graph and tells Python what was pointed at. It decides nothing: what stands
// where, and what is written there, comes from the server with `data`.

const SVG = "http://www.w3.org/2000/svg";
const STEPS = [0.25, 0.35, 0.5, 0.7, 0.85, 1, 1.25, 1.6, 2];
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const MARGIN = 12;
// Events that are sent again with each new one, so that quick clicks lose none.
const KEPT = 20;
const views = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".network");
  if (!views.has(root)) views.set(root, new Graph(root));
  const view = views.get(root);
  view.send = (events) => setStateValue("events", events);
  view.show(data);
}

class Graph {
  constructor(root) {
    this.root = root;
    this.zoom = 1;
    this.fingers = new Map();
    this.events = [];
    this.count = 0;
    this.name = Math.random().toString(36).slice(2);
    this.bar = html("div", "bar", root);
    this.button("−", "Zoom out", () => this.step(-1));
    this.level = html("span", "level", this.bar);
    this.button("+", "Zoom in", () => this.step(1));
    this.button("Fit", "Show the whole width", () => this.fit());
    this.view = html("div", "view", root);
    this.svg = svg("svg", { role: "group" });
    this.view.append(this.svg);
    this.view.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    this.view.addEventListener("keydown", (event) => this.onKey(event));
    for (const kind of ["pointerdown", "pointermove", "pointerup", "pointercancel"]) {
      this.view.addEventListener(kind, (event) => this.onPointer(kind, event));
    }
  }

  button(text, title, act) {
    const button = html("button", "", this.bar, text);
    button.type = "button";
    button.title = title;
    button.setAttribute("aria-label", title);
    button.addEventListener("click", act);
  }

  show(data) {
    const first = !this.data;
    const before = this.data?.shown.find((entry) => entry.id && entry.id === this.held);
    const focused = this.focused();
    this.data = data;
    this.svg.setAttribute("aria-label", data.label);
    this.svg.setAttribute(
      "viewBox", `${-MARGIN} ${-MARGIN} ${data.width + 2 * MARGIN} ${data.height + 2 * MARGIN}`,
    );
    const [frames, lines, boxes] = [svg("g"), svg("g", { class: "edges" }), svg("g")];
    this.nodes = new Map();
    for (const edge of data.edges) lines.append(svg("path", { d: path(edge.points) }));
    for (const { label, points: [[x, y]] } of data.edges) {
      if (label) lines.append(text(label, x + 6, y + 15));
    }
    for (const entry of data.shown) this.drawBox(entry, frames, boxes);
    this.svg.replaceChildren(frames, lines, boxes);
    this.scale();
    if (first) this.fit();
    // What was opened or closed stays where it is under the eye.
    const now = data.shown.find((entry) => entry.id && entry.id === this.held);
    if (before && now) {
      this.view.scrollTop += (now.y - before.y) * this.zoom;
      this.view.scrollLeft += (now.x + now.w / 2 - before.x - before.w / 2) * this.zoom;
    }
    this.held = undefined;
    const stop = this.nodes.get(focused) ?? this.nodes.values().next().value;
    if (stop) stop.tabIndex = 0;
    if (focused) this.nodes.get(focused)?.focus({ preventScroll: true });
    if (data.sought && data.sought !== this.sought) this.reveal(data.sought.split("#")[0]);
    this.sought = data.sought;
  }

  drawBox(entry, frames, boxes) {
    const { x, y, w, h, kind } = entry;
    const group = svg("g", { class: `box ${kind}`, transform: `translate(${x} ${y})` });
    const face = { x: 0, y: 0, width: w, height: h, rx: 6 };
    const open = kind === "open";
    if (open) {
      frames.append(svg("rect", { ...face, x, y, class: "frame" }));
      face.height = entry.lines.length * this.data.line + 14;
    }
    const back = svg("rect", { ...face, class: "face" });
    if (kind === "node" || kind === "box") {
      const percent = 4 + 44 * entry.share;
      back.style.fill =
        `color-mix(in srgb, ${this.data.colour} ${percent}%, var(--st-background-color))`;
    }
    group.append(back);
    entry.lines.forEach((line, number) => {
      const base = 7 + this.data.line * (number + 0.75);
      const own = text(line.text, line.colour ? 25 : 12, base);
      if (number === 0) own.setAttribute("class", "name");
      group.append(own);
      if (line.colour) {
        // A line that tells of a target, as a mark: text keeps the ink that can be read.
        const mark = svg("circle", { cx: 16.5, cy: base - 4, r: 4, class: "mark" });
        mark.style.fill = line.colour;
        group.append(mark);
      }
    });
    if (entry.id) {
      group.setAttribute("role", "button");
      group.setAttribute("aria-label", entry.label);
      group.setAttribute("aria-pressed", entry.chosen);
      group.setAttribute("data-id", entry.id);
      group.setAttribute("tabindex", "-1");
      group.classList.toggle("chosen", entry.chosen);
      group.classList.toggle("differs", entry.differs);
      group.append(titled(entry.label));
      group.addEventListener("click", () => this.tell("select", entry.id));
      group.addEventListener("dblclick", () => this.toggle(entry.id));
      this.nodes.set(entry.id, group);
      if (kind !== "node") {
        group.setAttribute("aria-expanded", open);
        const knob = svg("g", { class: "knob", transform: `translate(${w - 13} 13)` });
        knob.append(svg("circle", { r: 9 }), svg("path", { d: open ? "M-4 0H4" : "M-4 0H4M0 -4V4" }));
        knob.append(titled(open ? "Close this block" : "Open this block"));
        knob.addEventListener("click", (event) => {
          event.stopPropagation();
          this.toggle(entry.id);
        });
        knob.addEventListener("dblclick", (event) => event.stopPropagation());
        group.append(knob);
      }
    }
    boxes.append(group);
  }

  tell(kind, id) {
    this.held = id;
    this.count += 1;
    const event = { kind, cells: [id], id: `${this.name}-${this.count}` };
    this.events = [...this.events, event].slice(-KEPT);
    this.send(this.events);
  }

  toggle(id) {
    const kind = this.entry(id)?.kind;
    if (kind === "open" || kind === "box") this.tell(kind === "open" ? "close" : "open", id);
  }

  entry(id) {
    return this.data.shown.find((entry) => entry.id === id);
  }

  focused() {
    return this.root.getRootNode().activeElement?.dataset?.id;
  }

  scale() {
    this.svg.setAttribute("width", (this.data.width + 2 * MARGIN) * this.zoom);
    this.svg.setAttribute("height", (this.data.height + 2 * MARGIN) * this.zoom);
    this.level.textContent = `${Math.round(100 * this.zoom)} %`;
  }

  // Zooms so that what lies under a place of the view (pixels) stays under it.
  zoomTo(zoom, at = [this.view.clientWidth / 2, this.view.clientHeight / 2]) {
    const old = this.zoom;
    this.zoom = Math.min(STEPS.at(-1), Math.max(STEPS[0], zoom));
    const { scrollLeft, scrollTop } = this.view;
    this.scale();
    const factor = this.zoom / old;
    this.view.scrollLeft = (scrollLeft + at[0]) * factor - at[0];
    this.view.scrollTop = (scrollTop + at[1]) * factor - at[1];
  }

  step(by) {
    const near = by > 0
      ? STEPS.find((step) => step > this.zoom + 0.01)
      : STEPS.findLast((step) => step < this.zoom - 0.01);
    if (near) this.zoomTo(near);
  }

  fit() {
    const width = this.view.clientWidth - 4;
    this.zoomTo(Math.min(1, width / (this.data.width + 2 * MARGIN)));
  }

  reveal(id) {
    const entry = this.entry(id);
    if (!entry) return;
    const [x, y] = [entry.x + entry.w / 2 + MARGIN, entry.y + MARGIN];
    this.view.scrollLeft = x * this.zoom - this.view.clientWidth / 2;
    this.view.scrollTop = y * this.zoom - this.view.clientHeight / 3;
    this.nodes.get(id).scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  onWheel(event) {
    // A pinch on a touchpad comes as a wheel with Ctrl; without, the view scrolls.
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const box = this.view.getBoundingClientRect();
    const at = [event.clientX - box.left, event.clientY - box.top];
    this.zoomTo(this.zoom * Math.exp(-event.deltaY / 300), at);
  }

  // Two fingers pinch, one scrolls as anywhere; a mouse drags.
  onPointer(kind, event) {
    if (kind === "pointerdown") this.fingers.set(event.pointerId, event);
    const before = this.fingers.get(event.pointerId);
    if (kind === "pointermove" && before) {
      if (event.pointerType === "mouse" && event.buttons === 1) {
        this.view.scrollLeft -= event.clientX - before.clientX;
        this.view.scrollTop -= event.clientY - before.clientY;
      } else if (this.fingers.size === 2) {
        const [other] = [...this.fingers.values()].filter((f) => f.pointerId !== event.pointerId);
        const far = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
        const box = this.view.getBoundingClientRect();
        const at = [
          (event.clientX + other.clientX) / 2 - box.left,
          (event.clientY + other.clientY) / 2 - box.top,
        ];
        if (far(before)) this.zoomTo((this.zoom * far(event)) / far(before), at);
      }
      this.fingers.set(event.pointerId, event);
    }
    if (kind === "pointerup" || kind === "pointercancel") this.fingers.delete(event.pointerId);
    // While two fingers are down the browser must not scroll as well.
    this.view.style.touchAction = this.fingers.size > 1 ? "none" : "pan-x pan-y";
  }

  onKey(event) {
    const id = this.focused();
    if (!id || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in ARROWS) this.go(id, ARROWS[event.key]);
    else if (event.key === "Enter") this.tell("select", id);
    else if (event.key === " ") this.toggle(id);
    else if (event.key === "+") this.step(1);
    else if (event.key === "-") this.step(-1);
    else if (event.key === "0") this.fit();
    else return;
    event.preventDefault();
    // Streamlit has shortcuts of its own for single letters.
    event.stopPropagation();
  }

  // To the nearest box in a direction, as the eye sees it.
  go(id, [right, down]) {
    const middle = (e) => [e.x + e.w / 2, e.kind === "open" ? e.y : e.y + e.h / 2];
    const here = middle(this.entry(id));
    let best, least = Infinity;
    for (const entry of this.data.shown) {
      if (!entry.id || entry.id === id) continue;
      const there = middle(entry);
      const along = right * (there[0] - here[0]) + down * (there[1] - here[1]);
      const aside = Math.abs(down * (there[0] - here[0])) + Math.abs(right * (there[1] - here[1]));
      if (along > 4 && along + 3 * aside < least) {
        least = along + 3 * aside;
        best = entry.id;
      }
    }
    if (!best) return;
    this.nodes.get(id).tabIndex = -1;
    this.nodes.get(best).tabIndex = 0;
    this.nodes.get(best).focus();
  }
}

function html(tag, className, parent, words = "") {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.textContent = words;
  parent.append(node);
  return node;
}

function svg(tag, attributes = {}) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

// Straight where an edge runs straight down, else bent into the next direction.
function path([start, ...rest]) {
  let drawn = `M${start.join(" ")}`;
  let last = start;
  for (const point of rest) {
    const middle = (last[1] + point[1]) / 2;
    drawn += last[0] === point[0]
      ? `L${point.join(" ")}`
      : `C${last[0]} ${middle} ${point[0]} ${middle} ${point.join(" ")}`;
    last = point;
  }
  return drawn;
}

function text(words, x, y) {
  const node = svg("text", { x, y });
  node.textContent = words;
  return node;
}

function titled(words) {
  const node = svg("title");
  node.textContent = words;
  return node;
}
