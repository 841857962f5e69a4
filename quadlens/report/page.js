"use strict";
(() => {
  const $ = (id) => document.getElementById(id);

  // ---- theme -------------------------------------------------------------------------------------------------------
  const theme = $("theme"), root = document.documentElement;
  const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const nameTheme = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
  theme.hidden = false;
  nameTheme();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", nameTheme);
  theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; nameTheme(); });

  // ---- sortable tables ---------------------------------------------------------------------------------------------
  const value = (row, column) => {
    const text = row.cells[column].textContent.replace(/[−]/g, "-").replace(/,/g, "");
    const number = parseFloat(text);
    return Number.isNaN(number) ? text : number;
  };
  const before = (x, y) => typeof x === typeof y ? (x < y ? -1 : x > y ? 1 : 0) : typeof x === "number" ? -1 : 1;
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") !== "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const rows = [...body.rows].sort((a, b) => before(value(a, column), value(b, column)) * (up ? 1 : -1));
        body.append(...rows);
      });
    });
  }

  // ---- on paper nothing can be opened ------------------------------------------------------------------------------
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const details of closed) details.open = true;
  });
  addEventListener("afterprint", () => { for (const details of closed) details.open = false; });

  // ---- explorer ----------------------------------------------------------------------------------------------------
  if (!$("explorer")) return;
  const data = JSON.parse($("x-data").textContent), p = data.p, omega = 2 * Math.PI / p, PI = Math.PI;
  const erf = (x) => { // Abramowitz and Stegun 7.1.26: off by at most 1.5e-7, far below a pixel
    const t = 1 / (1 + 0.3275911 * Math.abs(x));
    const y = 1 - t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * Math.exp(-x * x);
    return x < 0 ? -y : y;
  };
  const act = {
    relu: (x) => Math.max(x, 0), abs: Math.abs, square: (x) => x * x, tanh: Math.tanh,
    gelu: (x) => x * (1 + erf(x / Math.SQRT2)) / 2, silu: (x) => x / (1 + Math.exp(-x)),
    gelu_tanh: (x) => x / 2 * (1 + Math.tanh(Math.sqrt(2 / PI) * (x + 0.044715 * x ** 3))),
  }[data.activation];
  const unpack = (table) => {
    const raw = atob(table.data), bytes = Uint8Array.from(raw, (c) => c.charCodeAt(0)), view = new DataView(bytes.buffer);
    return Float64Array.from({ length: bytes.length / 2 }, (_, i) => table.unit * view.getInt16(2 * i, true));
  };
  const tables = data.tables && { A: unpack(data.tables.A), B: unpack(data.tables.B), U: unpack(data.tables.U) };
  const mod = (x, m) => ((x % m) + m) % m;
  const wrap = (x) => mod(x + PI, 2 * PI) - PI;
  const wave = (re, im, angle) => re * Math.cos(angle) - im * Math.sin(angle);
  const pair = (name, i) => [data[name][0][i], data[name][1][i]];
  const waveOf = (which, i, k, x) => {
    const t = omega * mod(k * x, p) + data.phi[i], bias = which === "B" ? data.kappa[i] : 0;
    return data.r[i] * (wave(...pair(`e_${which}`, i), t) + wave(...pair(`s_${which}`, i), 2 * t) + bias);
  };
  const input = (which, i, k, x) => tables ? tables[which][i * p + x] : waveOf(which, i, k, x);
  const waveform = (group, d) => {
    const t = omega * mod(group.k * d, p), add = (A, B, m) => [wave(A[0], A[1], m * t) + B[0], A[0] * Math.sin(m * t) + A[1] * Math.cos(m * t) + B[1]];
    const one = add(group.e_A, group.e_B, 1), two = add(group.s_A, group.s_B, 2);
    return (theta) => wave(...one, theta) + wave(...two, 2 * theta) + group.kappa;
  };
  const zeros = (H) => {
    const found = [], n = 1440;
    for (let i = 0; i < n; i++) {
      let low = -PI + 2 * PI * i / n, high = low + 2 * PI / n;
      if ((H(low) > 0) === (H(high) > 0)) continue;
      const rising = H(high) > 0;
      for (let step = 0; step < 40; step++) { const middle = (low + high) / 2; if ((H(middle) > 0) === rising) high = middle; else low = middle; }
      found.push((low + high) / 2);
    }
    return found;
  };
  const num = (x, digits = 3) => x.toFixed(digits).replace("-", "−");
  const colour = (g) => `var(--series-${Math.min(g, 5)})`;

  // a plot area in user units; everything drawn is made of numbers, never of text from a file
  const plot = (svg, width, height, xs, ys, ticks, yLabel) => {
    const left = 46, bottom = 30, top = 8, right = 8;
    const X = (x) => left + (x - xs[0]) / (xs[1] - xs[0]) * (width - left - right);
    const Y = (y) => top + (ys[1] - y) / (ys[1] - ys[0]) * (height - top - bottom);
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const size = 10 ** Math.floor(Math.log10((ys[1] - ys[0]) / 3)), step = size * ((ys[1] - ys[0]) / size > 12 ? 5 : (ys[1] - ys[0]) / size > 6 ? 2 : 1);
    const parts = [];
    for (let y = Math.ceil(ys[0] / step) * step; y <= ys[1] + 1e-12; y += step) {
      parts.push(`<path d="M${left} ${Y(y)}H${width - right}" stroke="var(--grid)"/>`,
        `<text x="${left - 6}" y="${Y(y) + 4}" text-anchor="end">${num(y, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)))}</text>`);
    }
    for (const [x, name] of ticks) {
      parts.push(`<path d="M${X(x)} ${top}V${height - bottom}" stroke="var(--grid)"/>`,
        `<text x="${X(x)}" y="${height - bottom + 16}" text-anchor="middle">${name}</text>`);
    }
    parts.push(`<text x="2" y="${top + 4}" dominant-baseline="hanging" fill="var(--muted)">${yLabel}</text>`);
    const line = (points, style) => `<path fill="none" d="M${points.map(([x, y]) => `${X(x).toFixed(1)} ${Y(y).toFixed(1)}`).join("L")}" ${style}/>`;
    return { parts, X, Y, line, top, bottom: height - bottom, show: () => { svg.innerHTML = parts.join(""); } };
  };
  const widthOf = (id) => Math.max(320, Math.min(620, $(id).parentElement.clientWidth || 620)); // letters keep their size
  const turnTicks = [[-PI, "−π"], [-PI / 2, "−π/2"], [0, "0"], [PI / 2, "π/2"], [PI, "π"]];
  const grid = Array.from({ length: 481 }, (_, i) => -PI + 2 * PI * i / 480);

  const reachOf = data.groups.map((group) => { // one vertical scale for all d, so that sliding is comparable
    let top = 0, waves = 0;
    for (let d = 0; d < p; d++) {
      const H = waveform(group, d);
      for (let i = 0; i < 480; i += 8) { const h = H(grid[i]); waves = Math.max(waves, Math.abs(h)); top = Math.max(top, Math.abs(act(group.rho * h)) / group.rho ** data.degree); }
    }
    return { top: 1.3 * top || 1, waves: 1.1 * waves || 1 };
  });

  const state = { g: Number($("x-group").value), d: 0, b: 0, n: 0 };
  const draw = () => {
    const group = data.groups[state.g], { k } = group, { d, b } = state, a = mod(b + d, p), c = mod(a + b, p);
    const shift = omega * mod(k * b, p), turn = omega * mod(k * d, p), H = waveform(group, d), roots = zeros(H);
    const g = (theta) => act(group.rho * H(theta)) / group.rho ** data.degree * Math.cos(2 * theta + turn);
    const nodes = group.order.map((i, j) => {
      const x = input("A", i, k, a) + input("B", i, k, b), r = data.r[i];
      const height = r > 0 ? act(x) / r ** data.degree * Math.cos(omega * mod(k * c, p) + data.psi[i]) : 0;
      return { i, j, x, height, start: wrap(group.starts[j] + shift), width: group.widths[j], theta: wrap(data.phi[i] + shift) };
    });
    const area = nodes.reduce((sum, node) => sum + node.width * node.height, 0) * group.scale;
    const integral = group.integral[d]; // in closed form: points on a grid do not know where the kinks are
    const active = nodes.filter((node) => node.x > 0).length;
    const reach = reachOf[state.g];

    const one = plot($("x-rectangles"), widthOf("x-rectangles"), 300, [-PI, PI], [-reach.top, reach.top], turnTicks, "");
    for (const node of nodes) {
      for (const move of [0, -2 * PI]) {
        const from = Math.max(node.start + move, -PI), to = Math.min(node.start + node.width + move, PI);
        if (to <= from || node.height === 0) continue;
        const y = one.Y(Math.max(node.height, 0)), h = Math.abs(one.Y(node.height) - one.Y(0));
        one.parts.push(`<rect data-n="${node.j}" x="${one.X(from).toFixed(2)}" y="${y.toFixed(2)}" width="${(one.X(to) - one.X(from)).toFixed(2)}" height="${h.toFixed(2)}" fill="${colour(state.g)}" opacity="${node.j === state.n ? 1 : 0.62}" stroke="${node.j === state.n ? "var(--ink)" : "var(--paper)"}" stroke-width="${node.j === state.n ? 1.2 : 0.3}"/>`);
      }
    }
    one.parts.push(one.line(grid.map((theta) => [theta, g(theta)]), 'stroke="var(--ink)" stroke-width="1.8" pointer-events="none"'));
    one.show();

    const two = plot($("x-waveform"), widthOf("x-waveform"), 220, [-PI, PI], [-reach.waves, reach.waves], turnTicks, "");
    two.parts.push(`<path d="M${two.X(-PI)} ${two.Y(0)}H${two.X(PI)}" stroke="var(--ink)" stroke-width="0.8"/>`,
      two.line(grid.map((theta) => [theta, H(theta)]), `stroke="${colour(state.g)}" stroke-width="2"`));
    for (const root of roots) two.parts.push(`<circle class="zero" cx="${two.X(root)}" cy="${two.Y(0)}" r="5" fill="var(--paper)" stroke="var(--ink)" stroke-width="1.8"/>`);
    two.show();

    const heaviest = Math.max(...group.order.map((i) => data.r[i] ** data.degree * data.u[i])), R = 100, circle = [];
    circle.push(`<circle r="${R}" fill="none" stroke="var(--muted)"/>`);
    for (const root of roots) circle.push(`<path d="M${0.72 * R * Math.cos(root)} ${-0.72 * R * Math.sin(root)}L${1.5 * R * Math.cos(root)} ${-1.5 * R * Math.sin(root)}" stroke="var(--ink)" stroke-width="1.6" stroke-dasharray="5 3"/>`);
    for (const node of nodes) {
      const length = R * (1 + 0.45 * data.r[node.i] ** data.degree * data.u[node.i] / heaviest), x = Math.cos(node.theta), y = -Math.sin(node.theta), chosen = node.j === state.n;
      circle.push(`<g data-n="${node.j}"><path d="M${R * x} ${R * y}L${length * x} ${length * y}" stroke="${chosen ? "var(--ink)" : colour(state.g)}" stroke-width="${chosen ? 3 : 1.4}"/><circle cx="${R * x}" cy="${R * y}" r="${chosen ? 6 : 3.4}" fill="${node.x > 0 ? colour(state.g) : "var(--paper)"}" stroke="${chosen ? "var(--ink)" : colour(state.g)}" stroke-width="1.2"/></g>`);
    }
    circle.push(`<text text-anchor="middle" y="-4">${active} of ${nodes.length}</text><text text-anchor="middle" y="14">neurons active</text>`);
    $("x-circle").setAttribute("viewBox", "-155 -155 310 310");
    $("x-circle").innerHTML = circle.join("");

    $("x-d-out").textContent = d;
    $("x-b-out").textContent = b;
    const zeroText = roots.length ? `${roots.length} zeros, at θ = ${roots.map((root) => num(root, 2)).join(", ")}` : "no zeros";
    $("x-words").textContent = `a = ${a}, b = ${b}, c = a + b = ${c}. H has ${zeroText}. ${active} of ${nodes.length} neurons are active. The rectangles add about ${num(area, 2)} logits to the right answer; the integral is ${num(integral)}.`;
    drawNeuron(nodes);
  };

  const drawNeuron = (nodes) => {
    const group = data.groups[state.g], { k } = group, node = nodes[state.n], i = node.i, residues = Array.from({ length: p }, (_, x) => x);
    const rows = ["A", "B", "U"].map((which) => ({
      which,
      points: tables ? residues.map((x) => tables[which][i * p + x]) : [],
      line: Array.from({ length: 4 * p - 3 }, (_, x) => which === "U" ? data.u[i] * Math.cos(omega * k * x / 4 + data.psi[i])
        : data.r[i] * (wave(...pair(`e_${which}`, i), omega * k * x / 4 + data.phi[i]) + wave(...pair(`s_${which}`, i), 2 * (omega * k * x / 4 + data.phi[i])) + (which === "B" ? data.kappa[i] : 0))),
    }));
    const svg = $("x-neuron"), width = 420, height = 300, each = height / 3, parts = [];
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    rows.forEach((row, index) => {
      const reach = 1.15 * Math.max(1e-9, ...row.points.map(Math.abs), ...row.line.map(Math.abs));
      const X = (x) => 40 + x / (p - 1) * (width - 48), Y = (y) => each * (index + 0.5) - y / reach * (each / 2 - 6);
      parts.push(`<path d="M40 ${Y(0)}H${width - 8}" stroke="var(--grid)"/><text x="2" y="${Y(0) + 4}">${["A[a]", "B[b]", "U[c]"][index]}</text>`,
        `<path fill="none" stroke="var(--ink)" opacity="0.65" d="M${row.line.map((y, x) => `${X(x / 4).toFixed(1)} ${Y(y).toFixed(1)}`).join("L")}"/>`,
        ...row.points.map((y, x) => `<circle cx="${X(x).toFixed(1)}" cy="${Y(y).toFixed(1)}" r="2.6" fill="${colour(state.g)}"/>`));
    });
    svg.innerHTML = parts.join("");
    $("x-n-out").textContent = data.neuron[i];
    $("x-neuron-title").textContent = `Neuron ${data.neuron[i]}: its waves over a, b and c`;
    $("x-neuron-words").textContent = `r = ${num(data.r[i])}, φ = ${num(data.phi[i])} rad, u = ${num(data.u[i])}, ψ = ${num(data.psi[i])} rad, ψ − 2φ = ${num(wrap(data.psi[i] - 2 * data.phi[i]), 4)} rad; preactivation ${num(node.x)}: ${node.x > 0 ? "active" : "off"}. ${tables ? "Points: the network; lines: the waves." : "Lines: the waves (the tables are too large to travel with this page)."}`;
  };

  const choose = (event) => {
    const found = event.target.closest("[data-n]");
    if (!found || Number(found.dataset.n) === state.n) return;
    state.n = Number(found.dataset.n);
    $("x-n").value = state.n;
    draw();
  };
  for (const id of ["x-circle", "x-rectangles"]) for (const kind of ["pointerover", "click"]) $(id).addEventListener(kind, choose);
  const newGroup = () => { state.g = Number($("x-group").value); state.n = 0; $("x-n").max = data.groups[state.g].order.length - 1; $("x-n").value = 0; };
  $("x-group").addEventListener("change", () => { newGroup(); draw(); });
  for (const [id, key] of [["x-d", "d"], ["x-b", "b"], ["x-n", "n"]]) {
    $(id).addEventListener("input", () => { state[key] = Number($(id).value); draw(); });
  }
  addEventListener("resize", () => requestAnimationFrame(draw));
  document.querySelector("#explorer form").addEventListener("submit", (event) => event.preventDefault());
  newGroup();
  for (const [id, key] of [["x-d", "d"], ["x-b", "b"]]) state[key] = Number($(id).value);
  $("explorer").hidden = false;
  $("x-link").hidden = false;
  draw();
})();
