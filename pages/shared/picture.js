// Draws an architecture cell by cell and tells Python what was done to it. It decides nothing:
// what a cell shows and what an edit does comes from the server with `data`.

const SVG = "http://www.w3.org/2000/svg";
// Events that are sent again with each new one, so that a quick typist loses none.
const KEPT = 20;
// Moving on with the arrows selects the cell once the keys rest (ms).
const REST = 150;
const MOST_SQUARES = 11;
// The height of a row of arcs (rem).
const ROW = 3.2;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const views = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".picture");
  if (!views.has(root)) views.set(root, new Picture(root));
  const view = views.get(root);
  view.send = (events) => setStateValue("events", events);
  view.show(data);
}

class Picture {
  constructor(root) {
    this.root = root;
    this.nodes = new Map();
    this.arcs = new Map();
    this.selected = [];
    this.told = ""; // the selection that the server knows
    this.events = [];
    this.count = 0;
    this.name = Math.random().toString(36).slice(2);
    root.addEventListener("keydown", (event) => this.onKey(event));
  }

  show(data) {
    this.data = data;
    const shape = JSON.stringify([
      data.editable, data.label, data.kernels, data.colours,
      data.graphs.map((graph) => [graph.title, graph.nodes]), data.rows,
      data.groups.map((group) => [group.title, group.cells.map((cell) => cell.name)]),
    ]);
    if (shape !== this.shape) {
      this.shape = shape;
      const focused = this.focused();
      this.build();
      this.nodes.get(focused)?.focus();
    }
    for (const cell of data.groups.flatMap((group) => group.cells)) this.paint(cell);
    for (const edge of data.graphs.flatMap((graph) => graph.edges)) {
      this.arcs.get(edge.cell).classList.toggle("dead", !edge.live);
      this.nodes.get(edge.cell).classList.toggle("off", !edge.live);
    }
    // The server's choice of cells counts unless what was done here is still on its way.
    const named = JSON.stringify(data.selected);
    const answered = !this.events.length || this.events.at(-1).id === data.seen;
    if (named !== this.told && answered && !this.timer) {
      this.told = named;
      this.selected = data.selected;
      this.anchor = data.selected[0];
    }
    this.mark();
  }

  build() {
    const { data } = this;
    this.nodes.clear();
    this.arcs.clear();
    this.root.replaceChildren();
    this.root.classList.toggle("editable", data.editable);
    const onEdge = (graph) => (cell) => graph.edges.some((edge) => edge.cell === cell.name);
    const onAny = (cell) => data.graphs.some((graph) => onEdge(graph)(cell));
    const others = data.groups
      .map((group) => ({ ...group, cells: group.cells.filter((cell) => !onAny(cell)) }))
      .filter((group) => group.cells.length);
    const isFlat = (group) => !group.cells.some((cell) => cell.isBlock);
    const flat = others.filter(isFlat);
    const staged = data.rows.length ? data.rows.map((row) => this.placed(row))
      : others.filter((group) => !isFlat(group));
    const grid = element("div", "", { role: "grid", "aria-label": data.label });
    if (data.editable) grid.setAttribute("aria-multiselectable", "true");
    if (flat.length) grid.append(this.flatRow(flat));
    if (staged.length) grid.append(this.stages(staged));
    for (const graph of data.graphs) {
      if (graph.title) grid.append(element("div", "title", {}, graph.title));
      grid.append(this.graph(graph, data.groups.flatMap((g) => g.cells.filter(onEdge(graph)))));
    }
    this.root.append(grid, this.legend());
  }

  flatRow(groups) {
    const row = element("div", "flat", { role: "row" });
    for (const group of groups) {
      const figure = element("figure", "", { role: "presentation" });
      figure.append(element("figcaption", "", {}, group.title), ...this.cells(group.cells));
      row.append(figure);
    }
    return row;
  }

  // A row of a layout, whose cells have columns of their own.
  placed({ title, places, skip }) {
    return { title, skip, cells: places.map(([name, place]) => ({ ...this.find(name), place })) };
  }

  stages(groups) {
    const titles = this.data.columns;
    const inColumn = (group, block) => {
      const own = group.cells.filter((cell) => cell.isBlock);
      return titles.length ? own.find((cell) => cell.place === block) : own[block - 1];
    };
    const blocks = titles.length
      || Math.max(...groups.map((g) => g.cells.filter((c) => c.isBlock).length));
    const whole = groups.some((group) => group.cells.some((cell) => !cell.isBlock));
    const box = element("div", "stages", { role: "presentation" });
    box.style.gridTemplateColumns =
      `max-content ${whole ? "minmax(3.1rem, auto)" : ""} repeat(${blocks}, minmax(3.1rem, 1fr))`;
    const head = element("div", "row", { role: "row" });
    head.append(element("span"));
    if (whole) head.append(element("span"));
    for (let block = 1; block <= blocks; block++) {
      const own = groups.map((group) => inColumn(group, block));
      const title = titles[block - 1] ?? `block ${block}`;
      head.append(this.picker("columnheader", title, own.filter(Boolean)));
    }
    box.append(head);
    for (const group of groups) {
      const row = element("div", group.skip ? "row skip" : "row", { role: "row" });
      row.append(this.picker("rowheader", group.title, group.cells));
      const own = group.cells.filter((cell) => !cell.isBlock);
      if (whole) row.append(...(own.length ? this.cells(own) : [element("span")]));
      for (let block = 1; block <= blocks; block++) {
        const cell = inColumn(group, block);
        row.append(...(cell ? this.cells([cell]) : [element("span", "between")]));
      }
      box.append(row);
    }
    return box;
  }

  // Nodes in a row, edges as arcs from left to right, and on the middle of each its cell.
  graph({ nodes, edges }, cells) {
    const bends = edges.map((edge) => edge.bend);
    const above = Math.max(0, ...bends);
    const rows = above - Math.min(0, ...bends) + 1;
    const x = (share) => 4 + 92 * share;
    const y = (bend) => (100 * (above - bend + 0.5)) / rows;
    const box = element("div", "graph", { role: "row" });
    box.style.height = `${rows * ROW}rem`;
    const lines = document.createElementNS(SVG, "svg");
    lines.setAttribute("viewBox", "0 0 100 100");
    lines.setAttribute("preserveAspectRatio", "none");
    lines.setAttribute("aria-hidden", "true");
    box.append(lines);
    for (const node of nodes) {
      const dot = element("span", "node", { "aria-hidden": "true" }, node.text);
      dot.style.left = `${x(node.x)}%`;
      dot.style.top = `${y(0)}%`;
      box.append(dot);
    }
    for (const node of this.cells(cells)) {
      const edge = edges.find((other) => other.cell === node.dataset.cell);
      const arc = document.createElementNS(SVG, "path");
      // The middle of a cubic arc lies three quarters of the way to its handles.
      const handle = y(0) + ((y(edge.bend) - y(0)) * 4) / 3;
      const [from, to] = [x(edge.from), x(edge.to)];
      const aside = (to - from) / 5;
      arc.setAttribute(
        "d", `M${from} ${y(0)} C${from + aside} ${handle} ${to - aside} ${handle} ${to} ${y(0)}`,
      );
      lines.append(arc);
      this.arcs.set(edge.cell, arc);
      node.style.left = `${(from + to) / 2}%`;
      node.style.top = `${y(edge.bend)}%`;
      box.append(node);
    }
    return box;
  }

  // A title that selects its cells: a mouse's way; the keyboard has Shift and the arrows.
  picker(role, text, cells) {
    const head = element("div", role, { role });
    if (!this.data.editable) {
      head.textContent = text;
      return head;
    }
    const button = element("button", "", { tabindex: "-1", type: "button" }, text);
    button.title = `Select all of ${text}`;
    button.addEventListener("click", () => {
      this.select(cells.map((cell) => cell.name));
      this.nodes.get(cells[0].name)?.focus();
    });
    head.append(button);
    return head;
  }

  cells(cells) {
    return cells.map((cell) => {
      const node = element("div", "cell", { role: "gridcell", "data-cell": cell.name });
      if (this.data.editable) {
        node.tabIndex = -1;
        node.addEventListener("click", (event) => this.onClick(cell.name, event));
      }
      this.nodes.set(cell.name, node);
      return node;
    });
  }

  paint(cell) {
    const node = this.nodes.get(cell.name);
    node.className = `cell${cell.on ? "" : " off"}${cell.differs ? " differs" : ""}`;
    node.setAttribute("aria-label", cell.label);
    node.title = cell.label;
    node.style.background = cell.colour;
    node.style.color = cell.ink;
    const parts = [element("span", "", {}, cell.text)];
    if (cell.kernel !== null) parts.unshift(footprint(cell.kernel, this.data.kernels));
    node.replaceChildren(...parts);
  }

  mark() {
    const first = this.selected[0] ?? this.nodes.keys().next().value;
    for (const [name, node] of this.nodes) {
      if (!this.data.editable) continue;
      node.setAttribute("aria-selected", this.selected.includes(name));
      // One stop for the Tab key, as in any grid.
      node.tabIndex = name === (this.focused() ?? first) ? 0 : -1;
    }
  }

  legend() {
    const { kernels, colourRole, colours, editable } = this.data;
    const legend = element("div", "legend");
    if (kernels.length) {
      const entry = element("div", "", {}, "shape: kernel");
      for (const kernel of kernels) entry.append(footprint(kernel, kernels), `${kernel}`);
      legend.append(entry);
    }
    if (colours.length) {
      const entry = element("div", "", {}, `colour: ${colourRole}`);
      for (const colour of colours) {
        const swatch = element("span", "swatch", {}, colour.text);
        swatch.style.background = colour.colour;
        swatch.style.color = colour.ink;
        entry.append(swatch);
      }
      legend.append(entry);
    }
    if (this.data.rows.some((row) => row.skip)) {
      const entry = element("div");
      entry.append(element("span", "line"), "skip connection, from the encoder to the decoder");
      legend.append(entry);
    }
    if (this.data.graphs.length) {
      const entry = element("div");
      entry.append(element("span", "dashed", {}, "on no path"), "from in to out");
      legend.append(entry);
    } else if (this.data.groups.some((group) => !group.isFlat)) {
      const entry = element("div");
      entry.append(element("span", "dashed", {}, "off"), editable ? "click to turn on" : "");
      legend.append(entry);
    }
    return legend;
  }

  focused() {
    return this.root.getRootNode().activeElement?.dataset?.cell;
  }

  find(name) {
    return this.data.groups.flatMap((group) => group.cells).find((cell) => cell.name === name);
  }

  onClick(name, event) {
    this.nodes.get(name).focus();
    if (event.shiftKey) this.select(this.between(this.anchor ?? name, name));
    else if (event.ctrlKey || event.metaKey) {
      const without = this.selected.filter((other) => other !== name);
      this.select(without.length < this.selected.length ? without : [...this.selected, name]);
    } else {
      this.anchor = name;
      this.select([name]);
      if (!this.find(name).on) this.emit({ kind: "open", cells: [name] });
    }
  }

  onKey(event) {
    const name = this.focused();
    if (!name || event.ctrlKey || event.metaKey || event.altKey) return;
    const role = this.data.keys[event.key.toLowerCase()];
    if (event.key in ARROWS) {
      const next = this.next(name, ARROWS[event.key]);
      if (next) {
        this.nodes.get(next).focus();
        if (event.shiftKey) this.select(this.between(this.anchor ?? name, next), REST);
        else {
          this.anchor = next;
          this.select([next], REST);
        }
      }
    } else if (event.key === "Enter" || event.key === " ") {
      this.select(this.selected.includes(name) ? this.selected : [name]);
      if (!this.find(name).on) this.emit({ kind: "open", cells: [name] });
    } else if (event.key === "Delete" || event.key === "Backspace") {
      this.emit({ kind: "close", cells: [name] });
    } else if (role) {
      this.emit({ kind: "step", cells: this.selected, role, by: event.shiftKey ? -1 : 1 });
    } else return;
    event.preventDefault();
    // Streamlit has shortcuts of its own for single letters.
    event.stopPropagation();
  }

  select(names, rest = 0) {
    this.selected = names;
    this.mark();
    clearTimeout(this.timer);
    this.timer = undefined;
    if (rest) this.timer = setTimeout(() => this.tell(), rest);
    else this.tell();
  }

  tell() {
    clearTimeout(this.timer);
    this.timer = undefined;
    const named = JSON.stringify(this.selected);
    if (named === this.told) return;
    this.told = named;
    this.push({ kind: "select", cells: this.selected });
  }

  emit(event) {
    this.tell();
    this.push(event);
  }

  push(event) {
    this.count += 1;
    this.events = [...this.events, { ...event, id: `${this.name}-${this.count}` }].slice(-KEPT);
    this.send(this.events);
  }

  // The nearest cell in a direction as the eye sees it, whatever the layout.
  next(name, [right, down]) {
    const here = middle(this.nodes.get(name));
    let best, least = Infinity;
    for (const [other, node] of this.nodes) {
      const there = middle(node);
      const along = right * (there.x - here.x) + down * (there.y - here.y);
      const aside = Math.abs(down * (there.x - here.x)) + Math.abs(right * (there.y - here.y));
      if (other !== name && along > 4 && along + 3 * aside < least) {
        least = along + 3 * aside;
        best = other;
      }
    }
    return best;
  }

  // All cells in the rectangle that two cells span.
  between(first, last) {
    const ends = [first, last].map((name) => this.nodes.get(name)).filter(Boolean);
    const boxes = ends.map((node) => node.getBoundingClientRect());
    const left = Math.min(...boxes.map((box) => box.left));
    const right = Math.max(...boxes.map((box) => box.right));
    const top = Math.min(...boxes.map((box) => box.top));
    const bottom = Math.max(...boxes.map((box) => box.bottom));
    return [...this.nodes.keys()].filter((name) => {
      const { x, y } = middle(this.nodes.get(name));
      return x > left && x < right && y > top && y < bottom;
    });
  }
}

function middle(node) {
  const box = node.getBoundingClientRect();
  return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
}

function element(tag, className, attributes = {}, text = "") {
  const node = document.createElement(tag);
  if (className) node.className = className;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text) node.textContent = text;
  return node;
}

// The pixels that a kernel reads: k × k squares, on the scale of the largest kernel. One square
// stands for those of a kernel too large to count.
function footprint(kernel, kernels) {
  const size = Math.max(7, ...kernels);
  const unit = kernel > MOST_SQUARES ? kernel : 1;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
  svg.setAttribute("aria-hidden", "true");
  const from = (size - kernel) / 2;
  for (let row = 0; row < kernel; row += unit) {
    for (let column = 0; column < kernel; column += unit) {
      const square = document.createElementNS(SVG, "rect");
      square.setAttribute("x", from + column + 0.1);
      square.setAttribute("y", from + row + 0.1);
      square.setAttribute("width", unit - 0.2);
      square.setAttribute("height", unit - 0.2);
      svg.append(square);
    }
  }
  return svg;
}
