"use strict";
// The predictions of the report's what-if, by the regression's own numbers: `Form.matrix`,
// `Predictor.predict_codes`, `Link` and `Target.text` of FOX-NAS Studio, in JavaScript.
window.report = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const decisions = data.space.decisions;

  function unpacked(text) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    return Float64Array.from({length: bytes.length / 8}, (_, i) => view.getFloat64(8 * i, true));
  }

  for (const target of data.targets) {
    target.estimates = unpacked(target.estimates);
    target.covariance = unpacked(target.covariance);
    if (target.ceiling) target.ceiling.pull = unpacked(target.ceiling.pull);
  }

  // Regression rows

  function lookup(part, codes) {
    const total = new Array(part.table[0].length).fill(0);
    for (const read of part.reads) {
      let row = 0;
      read.forEach((position, k) => { row = row * (part.sizes[k] + 1) + codes[position] + 1; });
      part.table[row].forEach((value, k) => { total[k] += value; });
    }
    return total;
  }

  function aggregates(part, codes) {
    const on = part.slots.map(([kernel]) => codes[kernel] >= 0 ? 1 : 0);
    const at = (values, code) => values[code < 0 ? values.length - 1 : code];
    const kernel = part.slots.map(([k], i) => at(part.kernels[i], codes[k]));
    const expand = part.slots.map(([, e], i) => at(part.expands[i], codes[e]));
    const sum = (values) => values.reduce((total, value) => total + value, 0);
    const depth = sum(on), rest = Math.max(sum(on.slice(1)), 1);
    const total = sum(expand.slice(1)), meanKernel = sum(kernel.slice(1)) / rest;
    const values = {
      "depth": depth,
      "mean_expand": total / rest,
      "mean_kernel": meanKernel,
      "transition_expand": expand[0],
      "transition_kernel": kernel[0],
      "total_expand": total,
      "depth*mean_expand": depth * (total / rest),
      "depth*mean_kernel": depth * meanKernel,
      "depth*total_expand": depth * total,
    };
    return part.names.map((name) => values[name]);
  }

  // A look-up of cells in which the edges that don't count are `none`, the code 0.
  function ofEdges(part, codes) {
    const own = part.edges.map((position) => codes[position]), counted = codes.slice();
    const reached = [true], needed = [], into = [], onward = [];
    needed[Math.max(...part.nodes.flat())] = true;
    part.nodes.forEach(([from, to], i) => {
      into[i] = own[i] > 0 && Boolean(reached[from]);
      reached[to] ||= into[i];
    });
    for (let i = own.length - 1; i >= 0; i--) {
      const [from, to] = part.nodes[i];
      onward[i] = own[i] > 0 && Boolean(needed[to]);
      needed[from] ||= onward[i];
    }
    part.edges.forEach((position, i) => {
      const counts = (onward[i] || part.counting === "reached") && (into[i] || part.counting === "reaching");
      if (own[i] >= 0 && !counts) counted[position] = 0;
    });
    return lookup(part.inner, counted);
  }

  function onPaths(part, codes) {
    const none = part.most ? -Infinity : Infinity, found = [0];
    const pick = part.most ? Math.max : Math.min;
    part.nodes.forEach(([from, to], i) => {
      const code = codes[part.edges[i]];
      const along = code > 0 ? (found[from] ?? none) + part.weights[code] : none;
      found[to] = pick(found[to] ?? none, along);
    });
    const last = found[found.length - 1], length = Number.isFinite(last) ? last : 0;
    return part.bounds.map((bound) => length >= bound ? 1 : 0);
  }

  const readers = {"lookup": lookup, "aggregates": aggregates, "of_edges": ofEdges, "on_paths": onPaths};

  function columns(part, codes) {
    if (part.kind in readers) return readers[part.kind](part, codes);
    const left = columns(part.left, codes).map((value, i) => value - part.left_center[i]);
    const right = columns(part.right, codes).map((value, i) => value - part.right_center[i]);
    return part.kept.map((k) => left[Math.floor(k / right.length)] * right[k % right.length]);
  }

  function row(form, codes) {
    const factor = form.scale ? form.scale.factors[codes[form.scale.position]] : 1;
    return form.parts.flatMap((part) => {
      const own = columns(part, codes);
      return part.scaled ? own.map((value) => value * factor) : own;
    });
  }

  // Predictions

  function inverse(link, eta) {
    if (link.rate === 0) return eta;
    return link.center - Math.expm1(-link.rate * (eta - link.center)) / link.rate;
  }

  function ratePull(link, eta) {
    const distance = eta - link.center, w = link.rate * distance;
    const near = Math.abs(w) < 1e-6;
    return distance ** 2 * (near ? -0.5 - w / 6 : (w - Math.expm1(w)) / w ** 2);
  }

  function dot(a, b) {
    let total = 0;
    for (let i = 0; i < a.length; i++) total += a[i] * b[i];
    return total;
  }

  // For the codes of an architecture (each choice's position, -1 where inactive): value, low and
  // high of the mean of measurements, prediction_low and prediction_high of a new one.
  function predict(column, codes) {
    const target = data.targets.find((one) => one.column === column);
    const x = row(target.form, codes);
    const eta = dot(x, target.estimates);
    let variance = 0, k = 0;
    for (let i = 0; i < x.length; i++) {
      let before = 0;
      for (let j = 0; j < i; j++) before += target.covariance[k++] * x[j];
      variance += x[i] * (2 * before + target.covariance[k++] * x[i]);
    }
    if (target.ceiling) {
      const byRate = ratePull(target.link, eta);
      variance += target.ceiling.rate_variance * byRate
        * (2 * dot(x, target.ceiling.pull) + byRate);
    }
    variance = Math.max(variance, 0);
    const half = target.quantile * Math.sqrt(variance);
    const scatter = target.residual_variance * (target.relative ? eta * eta : 1);
    const wide = target.quantile * Math.sqrt(variance + scatter);
    const [least, most] = target.bounds;
    const value = (at) => Math.min(
      Math.max(inverse(target.link, at), least ?? -Infinity), most ?? Infinity);
    return {
      value: value(eta), low: value(eta - half), high: value(eta + half),
      prediction_low: value(eta - wide), prediction_high: value(eta + wide),
    };
  }

  function threeDigits(number) {
    const [digits, exponent] = number.toExponential(2).split("e");
    if (Number(exponent) >= -4) return number.toPrecision(3);
    if (Number(exponent) >= -7) return number.toFixed(2 - Number(exponent));
    return `${digits}e-${String(-exponent).padStart(2, "0")}`;
  }

  // A value as it is read, without its unit.
  function text(target, value, signed = false) {
    const written = (number, digits) => {
      const plain = digits(Math.abs(number));
      const negative = number < 0 && /[1-9]/.test(plain);
      return (negative ? "-" : signed ? "+" : "") + plain;
    };
    if (target.digits !== null) {
      return written(value, (number) => {
        const [whole, ...part] = number.toFixed(target.digits).split(".");
        return [whole.replace(/\B(?=(\d{3})+$)/g, ","), ...part].join(".");
      });
    }
    if (value === 0) return "0";
    for (const prefix of ["", "k", "M", "G", "T"]) {
      if (Math.abs(value) < 999.5 || prefix === "T") {
        return `${written(value, threeDigits)} ${prefix}`.trim();
      }
      value /= 1000;
    }
  }

  // The page

  const element = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  // What is chosen of every decision, also while it is inactive, so that it comes back.
  let wanted = [], start = [];

  function active(choices) {
    const codes = [];
    decisions.forEach((decision, i) => {
      const on = decision.conditions.every(([position, allowed]) =>
        allowed.includes(codes[position]));
      codes.push(on ? choices[i] : -1);
    });
    return codes;
  }

  const selects = decisions.map((decision, i) => {
    const select = element("select", {id: `choice-${i}`});
    decision.choices.forEach((choice, code) => {
      select.append(element("option", {value: code}, String(choice)));
    });
    select.addEventListener("change", () => { wanted[i] = Number(select.value); show(); });
    return select;
  });
  const labels = decisions.map((decision, i) => element(
    "label", {class: "choice", for: `choice-${i}`}, decision.role, selects[i]));
  const slots = [];

  function drawChoices() {
    const place = document.getElementById("what-if-choices");
    for (const group of data.space.groups) {
      const box = element("fieldset", {}, element("legend", {}, group.title));
      const own = new Map();
      decisions.forEach((decision, i) => {
        if (decision.group !== group.name) return;
        if (!decision.slot) { box.append(labels[i]); return; }
        if (!own.has(decision.slot)) {
          const name = element("span", {}, decision.slot);
          const slot = element("div", {class: "slot", role: "group"}, name);
          slot.setAttribute("aria-label", decision.slot);
          own.set(decision.slot, slot);
          slots.push({slot, name, title: decision.slot, first: i});
          box.append(slot);
        }
        own.get(decision.slot).append(labels[i]);
      });
      place.append(box);
    }
  }

  function begin(codes) {
    start = codes;
    wanted = codes.map((code) => Math.max(code, 0));
    show();
  }

  function drawStarts() {
    const place = document.getElementById("what-if-starts");
    place.append("Start from");
    for (const subnet of data.subnets) {
      const button = element("button", {type: "button"}, subnet.name);
      button.addEventListener("click", () => begin(subnet.codes));
      place.append(button);
    }
    if (data.front.length) {
      const list = element("select", {id: "start-front"},
        element("option", {value: ""}, "a point of the front"));
      data.front.forEach((point, i) => list.append(element("option", {value: i}, point.name)));
      list.addEventListener("change", () => {
        if (list.value !== "") begin(data.front[Number(list.value)].codes);
      });
      list.setAttribute("aria-label", "Start from a point of the front");
      place.append(list);
    }
  }

  const cells = data.targets.map((target) => {
    const made = Array.from({length: 4}, () => element("td", {class: "number"}));
    const label = element("th", {scope: "row"}, target.label);
    document.getElementById("what-if-rows").append(element("tr", {}, label, ...made));
    return made;
  });

  function mark(codes) {
    const chart = document.getElementById("what-if-chart");
    if (!chart) return;
    const [x, y] = data.axes.map((column) => [predict(column, codes).value]);
    figures.change(chart, (figure) => Object.assign(figure.data.at(-1), {x, y}));
  }

  function show() {
    const codes = active(wanted);
    decisions.forEach((decision, i) => {
      selects[i].value = String(wanted[i]);
      selects[i].disabled = codes[i] < 0 || decision.choices.length < 2;
    });
    for (const {slot, name, title, first} of slots) {
      slot.classList.toggle("off", codes[first] < 0);
      name.textContent = codes[first] < 0 ? `${title}: off` : title;
    }
    const same = codes.every((code, i) => code === start[i]);
    const said = [];
    data.targets.forEach((target, i) => {
      const now = predict(target.column, codes), then = predict(target.column, start);
      const unit = target.unit ? ` ${target.unit}` : "";
      const ends = (low, high) =>
        target.counted ? "counted" : `${text(target, low)} to ${text(target, high)}`;
      const values = [
        text(target, now.value) + unit,
        ends(now.low, now.high),
        ends(now.prediction_low, now.prediction_high),
        same ? "–"
          : `${text(target, now.value - then.value, true)} ${target.difference_unit}`.trim(),
      ];
      values.forEach((value, k) => { cells[i][k].textContent = value; });
      const change = same ? "" : ` (${values[3]})`;
      if (i < data.main) said.push(`${target.label} ${values[0]}${change}`);
    });
    document.getElementById("what-if-says").textContent = `${said.join(", ")}.`;
    const named = decisions.flatMap((decision, i) =>
      codes[i] < 0 ? [] : [[decision.name, decision.choices[codes[i]]]]);
    document.getElementById("what-if-json").value =
      `{${named.map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`).join(", ")}}`;
    mark(codes);
  }

  drawChoices();
  drawStarts();
  begin(data.subnets[0].codes);
  document.getElementById("what-if-body").hidden = false;
  return {predict, text: (column, value, signed) =>
    text(data.targets.find((one) => one.column === column), value, signed)};
})();
