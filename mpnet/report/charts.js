// Pictures, by Plotly: the graph, lines over the iterations, heat maps. A cursor is an element that
// lies over them, for moving it must not draw anything again.

const CONFIG = {responsive: true, displaylogo: false, displayModeBar: "hover", scrollZoom: false,
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "toImage"]};
const DASHES = ["solid", "8px,3px", "9px,3px,2px,3px", "5px,2px", "14px,4px", "6px,2px,2px,2px,2px,2px", "3px,2px"];
const SYMBOLS = {feature: "circle", model: "square", composite: "hexagon2", choice: "diamond", data: "triangle-down"};
const BIG = 60;  // nodes from which names are shown on demand only

const dark = window.matchMedia("(prefers-color-scheme: dark)");
let printing = false;

function theme() {
  const style = getComputedStyle(document.documentElement);
  const ink = (name) => style.getPropertyValue(`--${name}`).trim();
  const night = dark.matches && !printing;
  return {
    night, paper: ink("paper"), ink: ink("ink"), soft: ink("soft"), line: ink("line"), bad: ink("bad"),
    edges: {will: ink("will"), wont: ink("wont"), explains: ink("explains"), rule: ink("rule")},
    series: night
      ? ["#7cc4f0", "#2fb98e", "#ff9a63", "#e08dbd", "#f0e442", "#f0a742", "#d7dde3"]
      : ["#0072b2", "#00845f", "#d55e00", "#b05688", "#22749f", "#8f6500", "#000000"],
    belief: night
      ? [[0, "#222a32"], [0.5, "#1f7a60"], [1, "#b9f5df"]]
      : [[0, "#ffffff"], [0.35, "#bfe5d8"], [0.75, "#009e73"], [1, "#004d38"]],
    residual: night
      ? [[0, "#14181d"], [0.5, "#6b4a86"], [1, "#ffd166"]]
      : [[0, "#f6f4ea"], [0.5, "#d28f4a"], [1, "#5b1a3a"]],
  };
}

function layoutOf(look, extra) {
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false, hovermode: "closest",
    font: {color: look.ink, size: 12, family: 'system-ui, "DejaVu Sans", sans-serif'}, dragmode: false,
    hoverlabel: {bgcolor: look.paper, bordercolor: look.soft, font: {color: look.ink}, align: "left"}, ...extra,
  };
}

function axis(look, extra = {}) {
  return {gridcolor: look.line, zeroline: false, linecolor: look.soft, tickcolor: look.soft, automargin: false,
    fixedrange: false, ...extra};
}

// ---- the graph ----

const sizeOfNodes = nodes.length <= 30 ? 26 : nodes.length <= BIG ? 20 : nodes.length <= 300 ? 12 : 8;
const many = data.edges.length > 400;
const strongest = Math.max(1e-9, ...data.edges.map((e) => (e[5] === "rule" ? 0 : Math.min(20, Math.abs(real(e[3])) || 0))));

function kindOf(edge) {
  return edge[5] === "will" && real(edge[3]) < 0 ? "wont" : edge[5];
}

function widthOf(edge) {
  if (edge[5] === "rule") return 0;
  const share = Math.min(20, Math.abs(real(edge[3])) || 0) / strongest;
  return share > 0.66 ? 2 : share > 0.33 ? 1 : 0;
}

// A bend that leaves and arrives upright; an arc between two nodes of one row.
function bend(a, b) {
  if (many) return [[a.x, a.y], [b.x, b.y]];
  const level = a.y === b.y;
  const lift = level ? 0.3 + 0.05 * Math.abs(a.x - b.x) : 0.35 * (b.y - a.y);
  const points = [];
  for (let i = 0; i <= 12; i++) {
    const t = i / 12, u = 1 - t;
    const p = [u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t];
    const ys = level ? [a.y, a.y + lift, b.y + lift, b.y] : [a.y, a.y + lift, b.y - lift, b.y];
    points.push([p[0] * a.x + p[1] * a.x + p[2] * b.x + p[3] * b.x, p[0] * ys[0] + p[1] * ys[1] + p[2] * ys[2] + p[3] * ys[3]]);
  }
  return points;
}

function edgeLines(edges, color, width, opacity, dash) {
  const x = [], y = [];
  for (const edge of edges) {
    for (const point of bend(nodes[edge[0]], nodes[edge[1]])) { x.push(point[0]); y.push(point[1]); }
    x.push(null); y.push(null);
  }
  return {x, y, mode: "lines", type: "scatter", hoverinfo: "skip", opacity, line: {color, width, dash, simplify: false}};
}

function arrows(edges, color) {
  const x = [], y = [], size = [];
  for (const edge of edges) {
    const path = bend(nodes[edge[0]], nodes[edge[1]]);
    for (const point of path.slice(-2)) { x.push(point[0]); y.push(point[1]); }
    size.push(0, 9);
  }
  return {x, y, mode: "markers", type: "scatter", hoverinfo: "skip", opacity: 0.9,
    marker: {symbol: "arrow", angleref: "previous", size, color, standoff: sizeOfNodes / 2 + 3, line: {width: 0}}};
}

function edgeTraces(look) {
  const groups = new Map();
  for (const edge of data.edges) {
    if (edge[0] === edge[1]) continue;
    const key = `${kindOf(edge)} ${widthOf(edge)}`;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(edge);
  }
  const traces = [];
  for (const [key, edges] of groups) {
    const [kind, width] = key.split(" ");
    const dash = kind === "explains" ? "dash" : kind === "rule" ? "dot" : "solid";
    traces.push(edgeLines(edges, look.edges[kind], [1.1, 2.2, 3.6][width] * (many ? 0.6 : 1), many ? 0.22 : 0.75, dash));
    if (!many && kind !== "rule") traces.push(arrows(edges, look.edges[kind]));
  }
  return traces;
}

function chosenEdges(look) {
  const mine = view.node < 0 ? [] : data.edges.filter((e) => e[0] === view.node || e[1] === view.node);
  const by = (kind) => mine.filter((e) => kindOf(e) === kind);
  return ["will", "wont", "explains", "rule"].map((kind) => edgeLines(by(kind), look.edges[kind], many || kind === "rule" ? 2.5 : 4.5, 1, "solid"));
}

// What has no belief is below all of them: the colours begin with a grey one for it.
const UNKNOWN = -0.1;

function values(row) {
  return nodes.map((node, i) => {
    const p = node.states.length ? lit(i, row) : NaN;
    return Number.isNaN(p) ? UNKNOWN : p;
  });
}

function scaleOf(look) {
  const zero = -UNKNOWN / (1 - UNKNOWN);
  return [[0, look.line], [zero * 0.9, look.line], ...look.belief.map(([at, color]) => [zero + at * (1 - zero), color])];
}

function opacities(row) {
  return nodes.map((node) => (isAwake(node, data.iterations[row]) ? 1 : 0.3));
}

// Names under the nodes fit between neighbours: as many letters as a place is wide.
function names(row) {
  const width = $("graph").clientWidth || 700;
  const across = Math.max(1, ...nodes.map((n) => n.x)) + 0.5;
  const most = Math.max(4, Math.floor(width / across / 6.6) - 1);
  return nodes.map((node, i) => {
    if (!node.states.length) return plain(node.name, most);
    const s = leading(i, row), p = probability(belief(i, row, s));
    const name = node.asked ? `<b>${plain(node.name, most)}</b>` : plain(node.name, most);
    if (p === "–") return name;
    return binary(node) ? `${name}<br>${p}` : `${name}<br>${plain(node.states[s], Math.max(3, most - 5))} ${p}`;
  });
}

const graph = {at: {}, box: $("graph")};

function graphTraces(look) {
  const x = nodes.map((n) => n.x), y = nodes.map((n) => n.y);
  const seen = nodes.filter((n) => n.evidence);
  const traces = edgeTraces(look);
  graph.at.chosen = traces.length;
  traces.push(...chosenEdges(look));
  traces.push({x: seen.map((n) => n.x), y: seen.map((n) => n.y), mode: "markers", type: "scatter", hoverinfo: "skip",
    marker: {symbol: seen.map((n) => SYMBOLS[n.kind] || "square"), size: sizeOfNodes * 1.45 + 2, color: look.paper, line: {color: look.ink, width: nodes.length > 300 ? 1 : 2}}});
  graph.at.nodes = traces.length;
  traces.push({x, y, mode: "markers", type: "scatter", customdata: nodes.map((_, i) => i),
    text: nodes.map((n) => `<b>${plain(n.name)}</b><br>${plain(n.kind)}${n.evidence ? `<br>seen: ${plain(n.evidence, 40)}` : ""}`),
    hovertemplate: values(LAST).map((p) => `%{text}${p < 0 ? "" : "<br>belief %{marker.color:.3f}"}<extra></extra>`),
    marker: {symbol: nodes.map((n) => SYMBOLS[n.kind] || "square"), size: sizeOfNodes, color: values(view.row),
      opacity: opacities(view.row), colorscale: scaleOf(look), cmin: UNKNOWN, cmax: 1, line: {color: look.soft, width: nodes.length > 300 ? 0.6 : 1.3}}});
  graph.at.ring = traces.length;
  const ring = view.node < 0 ? [] : [nodes[view.node]];
  traces.push({x: ring.map((n) => n.x), y: ring.map((n) => n.y), mode: "markers+text", type: "scatter", hoverinfo: "skip",
    text: ring.map((n) => (nodes.length > BIG ? `<b>${plain(n.name, 30)}</b>` : "")), textposition: "top center",
    marker: {symbol: "circle-open", size: sizeOfNodes * 1.8 + 4, color: look.bad, line: {color: look.bad, width: 3}}});
  graph.at.names = traces.length;
  if (nodes.length <= BIG) {
    // Markers that can't be seen keep the names off the nodes.
    const halo = Array(4).fill(`0 0 3px ${look.paper}`).join(", ");
    traces.push({x, y, mode: "markers+text", type: "scatter", hoverinfo: "skip", text: names(view.row), textposition: "bottom center",
      marker: {size: sizeOfNodes * 1.2, opacity: 0}, textfont: {size: 11.5, color: look.ink, shadow: halo}, cliponaxis: false});
  }
  return traces;
}

function drawGraph() {
  const look = theme();
  const xs = nodes.map((n) => n.x), ys = nodes.map((n) => n.y);
  const rows = Math.max(0, ...ys), wide = Math.max(0, ...xs);
  const pad = nodes.length <= BIG ? 0.75 : 1.2;
  const height = nodes.length <= BIG ? Math.min(720, Math.max(440, 125 * (rows + 1))) : 640;
  const layout = layoutOf(look, {height, margin: {l: 6, r: 6, t: 6, b: 6}, dragmode: "pan",
    xaxis: axis(look, {visible: false, range: [Math.min(...xs) - 0.7, wide + 0.7]}),
    yaxis: axis(look, {visible: false, range: [-pad, rows + (nodes.length <= BIG ? 0.6 : 1.5)]})});
  const done = Plotly.react(graph.box, graphTraces(look), layout, CONFIG);
  if (!graph.wired) {
    graph.wired = true;
    graph.box.on("plotly_click", (event) => {
      const point = event.points.find((p) => p.customdata !== undefined);
      if (point) showNode(point.customdata);
    });
  }
  return done;
}

function scrubGraph(row) {
  if (!graph.wired) return;
  const change = {"marker.color": [values(row)]};
  if (someSleep) change["marker.opacity"] = [opacities(row)];
  Plotly.restyle(graph.box, change, [graph.at.nodes]);
  if (nodes.length <= BIG) Plotly.restyle(graph.box, {text: [names(row)]}, [graph.at.names]);
}

// ---- lines over the iterations ----

const series = {box: $("series"), lines: []};
let searched = [];

function linesToDraw() {
  const few = data.lines.length <= 4;
  const found = [];
  const add = (index, most, chosen) => {
    const node = nodes[index];
    if (node.column < 0) return;
    const last = leading(index, LAST);
    const ranked = node.states.map((_, s) => s).sort((a, b) => belief(index, LAST, b) - belief(index, LAST, a));
    for (const s of most > 1 && node.states.length > 2 ? ranked.slice(0, most) : [last]) {
      if (found.some((l) => l.index === index && l.state === s)) continue;
      found.push({index, state: s, chosen});
    }
  };
  for (const index of data.lines) add(index, few ? 4 : 1, false);
  for (const index of searched) add(index, 1, true);
  if (view.node >= 0) add(view.node, 1, true);
  return found.map((line, i) => ({...line, color: i % 7, dash: DASHES[i % 7]}));
}

function span() {
  const first = data.iterations[0], last = data.iterations[LAST];
  const pad = Math.max(0.5, 0.012 * (last - first));
  return [first - pad, last + pad];
}

function ticks() {
  const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 1e4, 2e4, 5e4, 1e5];
  const whole = data.iterations[LAST] - data.iterations[0];
  return steps.find((step) => whole / step <= 10) ?? whole / 8;
}

function positives(list) {
  return list.map((value) => (real(value) > 0 && Number.isFinite(real(value)) ? value : null));
}

function panelsOf() {
  const residual = positives(data.residual), energy = data.logZ.map((v) => (Number.isFinite(real(v)) ? v : null));
  const has = (list) => list.some((v) => v !== null);
  const panels = [{name: "belief", share: 4}];
  if (has(residual)) panels.push({name: "residual, nats", share: 2, values: residual, log: true});
  if (has(energy)) panels.push({name: "log Z, nats", share: 2, values: energy});
  return panels;
}

function place(panels, lane) {
  const gap = 0.055, top = lane ? 0.94 : 1;
  const total = panels.reduce((sum, p) => sum + p.share, 0);
  let high = top;
  const free = top - gap * (panels.length - 1);
  for (const panel of panels) {
    const low = high - (free * panel.share) / total;
    panel.domain = [Math.max(0, low), high];
    high = low - gap;
  }
}

function seriesTraces(look, panels) {
  const x = data.iterations;
  const mark = ROWS === 1 ? "markers" : "lines";
  const traces = series.lines.map((line) => ({x, y: curve(line.index, line.state), type: "scatter", mode: mark,
    line: {color: look.series[line.color], width: line.index === view.node ? 4 : 2, dash: line.dash}, marker: {color: look.series[line.color], size: 8},
    customdata: x.map(() => line.index), name: plain(label(line.index, line.state)),
    hovertemplate: "%{fullData.name}<br>iteration %{x}: %{y:.4f}<extra></extra>"}));
  for (const line of series.lines) {
    const exact = nodes[line.index].exact;
    if (!exact || line.index !== view.node) continue;
    traces.push({x: span(), y: [exact[line.state], exact[line.state]], mode: "lines", type: "scatter", hoverinfo: "skip",
      line: {color: look.series[line.color], width: 1.5, dash: "1px,3px"}});
  }
  panels.slice(1).forEach((panel, i) => {
    traces.push({x, y: panel.values, yaxis: `y${i + 2}`, type: "scatter", mode: mark, line: {color: look.ink, width: 1.6},
      marker: {color: look.ink, size: 7}, hovertemplate: `iteration %{x}: %{y:.3g}<extra>${panel.name}</extra>`});
  });
  if (data.events.length) traces.push(laneTrace(look, panels.length + 1));
  return traces;
}

const EVENT_LOOKS = {awaken: "triangle-up", retire: "triangle-down", fight: "diamond", clamp: "diamond-open", converged: "circle", overtake: "triangle-up-open", inconsistent: "x"};

function laneTrace(look, number) {
  return {x: data.events.map((e) => data.iterations[e[1]]), y: data.events.map(() => 0), yaxis: `y${number}`, mode: "markers", type: "scatter",
    marker: {symbol: data.events.map((e) => EVENT_LOOKS[e[2]] || "square"), size: 10, color: look.bad}, customdata: data.events.map((e) => e[3]),
    text: data.events.map((e) => plain(e[4], 90)), hovertemplate: "iteration %{x}: %{text}<extra></extra>"};
}

function seriesShapes(look, panels) {
  const shapes = [...new Set(data.events.map((e) => data.iterations[e[1]]))].slice(0, 40).map((x) => ({type: "line", x0: x, x1: x, y0: 0, y1: 1,
    yref: "paper", layer: "below", line: {color: look.soft, width: 0.8, dash: "dot"}}));
  data.stages.forEach(([, first, last], i) => {
    if (i % 2) shapes.push({type: "rect", x0: data.iterations[first] - 0.5, x1: data.iterations[last] + 0.5, y0: 0, y1: 1, yref: "paper", layer: "below",
      line: {width: 0}, fillcolor: look.night ? "rgba(124,196,240,0.10)" : "rgba(0,114,178,0.08)"});
  });
  panels.forEach((panel, i) => {
    const line = (y) => shapes.push({type: "line", x0: 0, x1: 1, xref: "paper", y0: y, y1: y, yref: `y${i + 1}`, line: {color: look.soft, width: 1, dash: "1px,3px"}});
    if (panel.log && data.tolerance > 0) line(data.tolerance);
    if (panel.name.startsWith("log Z") && Number.isFinite(real(data.exactLogZ))) line(data.exactLogZ);
  });
  return shapes;
}

// Residuals far below the tolerance are all the same: they must not flatten the rest.
function logRange(list) {
  const logs = list.filter((value) => value !== null).map(Math.log10);
  const floor = data.tolerance > 0 ? Math.log10(data.tolerance) - 2 : -20;
  return [Math.max(floor, Math.min(...logs, floor + 2)) - 0.3, Math.max(...logs, floor + 2) + 0.5];
}

function drawSeries() {
  if (!series.box || !ROWS) return undefined;
  const look = theme(), panels = panelsOf(), lane = data.events.length > 0;
  place(panels, lane);
  series.lines = linesToDraw();
  const layout = layoutOf(look, {height: 190 * (1 + panels.length * 0.75), margin: {l: 62, r: 14, t: 8, b: 42}, dragmode: false,
    xaxis: axis(look, {range: span(), anchor: `y${panels.length}`, title: {text: "iteration", standoff: 6}, tick0: 0, dtick: ticks(), tickformat: "d"}), shapes: seriesShapes(look, panels)});
  panels.forEach((panel, i) => {
    layout[`yaxis${i ? i + 1 : ""}`] = axis(look, {domain: panel.domain, title: {text: panel.name, standoff: 4}, type: panel.log ? "log" : "linear",
      ...(panel.log ? {exponentformat: "power", tickfont: {size: 11}, range: logRange(panel.values)} : i ? {nticks: 5} : {range: [-0.03, 1.03], nticks: 6})});
  });
  if (lane) layout[`yaxis${panels.length + 1}`] = axis(look, {domain: [0.95, 1], visible: false, range: [-1, 1]});
  layout.annotations = stageNotes(look, panels);
  const done = Plotly.react(series.box, seriesTraces(look, panels), layout, CONFIG);
  wireTime(series, (x) => rowOf(Math.round(x)));
  return done;
}

function stageNotes(look, panels) {
  const notes = data.stages.length < 2 ? [] : data.stages.slice(0, 8).map(([name, first]) => ({x: data.iterations[first], y: panels[0].domain[1], yref: "paper",
    text: plain(name, 20), showarrow: false, xanchor: "left", yanchor: "top", font: {size: 11, color: look.soft}}));
  panels.forEach((panel, i) => {
    if (panel.log && data.tolerance > 0) notes.push({x: 1, xref: "paper", y: Math.log10(data.tolerance), yref: `y${i + 1}`, text: "tolerance", showarrow: false, xanchor: "right", yanchor: "bottom", font: {size: 11, color: look.soft}});
    if (panel.name.startsWith("log Z") && Number.isFinite(real(data.exactLogZ))) notes.push({x: 1, xref: "paper", y: data.exactLogZ, yref: `y${i + 1}`, text: "exact", showarrow: false, xanchor: "right", yanchor: "bottom", font: {size: 11, color: look.soft}});
  });
  return notes;
}

// ---- cursors ----

const timed = [];

// A picture over time: a click anywhere in it moves to that place; its cursor follows the state.
function wireTime(chart, toRow) {
  if (chart.wired) return;
  chart.wired = true;
  chart.cursor = document.querySelector(`.cursor[data-for="${chart.box.id}"]`);
  chart.toRow = toRow;
  timed.push(chart);
  const measure = () => { chart.width = chart.box.clientWidth; moveCursor(chart); };
  chart.box.on("plotly_afterplot", measure);
  chart.box.on("plotly_relayout", measure);
  chart.width = chart.box.clientWidth;
  chart.box.addEventListener("click", (event) => {
    const {left, right, range} = plotArea(chart);
    const across = event.clientX - chart.box.getBoundingClientRect().left;
    if (across < left || across > right || event.target.closest(".modebar")) return;
    showRow(toRow(range[0] + ((across - left) / (right - left)) * (range[1] - range[0])));
  });
  moveCursor(chart);
}

function plotArea(chart) {
  const {margin, xaxis} = chart.box.layout;
  return {left: margin.l, right: chart.width - margin.r, range: xaxis.range};
}

function moveCursor(chart) {
  if (!chart.cursor) return;
  const {left, right, range} = plotArea(chart);
  const x = chart.byRow ? view.row : data.iterations[view.row];
  const share = (x - range[0]) / (range[1] - range[0]);
  const {margin, height} = chart.box.layout;
  const style = chart.cursor.style;
  style.display = share < 0 || share > 1 ? "none" : "block";
  style.transform = `translateX(${left + share * (right - left) - 1}px)`;
  style.height = `${height - margin.b}px`;
}
