// Heat maps over the iterations, and the small curve of the node that is chosen.

// Rows of the trace stand side by side, however many iterations lie between them: pictures of equal
// cells are drawn fast. The axis says which iteration each is.
function rowAxis(look) {
  const step = Math.max(1, Math.ceil(ROWS / 10));
  const ticks = [];
  for (let row = 0; row < ROWS; row += step) ticks.push(row);
  return axis(look, {range: [-0.5, ROWS - 0.5], tickvals: ticks, ticktext: ticks.map((row) => String(data.iterations[row])),
    title: {text: "iteration", standoff: 6}, showgrid: false});
}

function labelRoom(width) {
  return Math.max(62, Math.min(190, Math.round(width * 0.24)));
}

const heat = {box: $("heat"), byRow: true, order: []};

function heatOrder() {
  const kinds = ["choice", "composite", "model", "feature"];
  const rank = (i) => (kinds.indexOf(nodes[i].kind) + 4) % 4;
  const ends = nodes.map((node, i) => (node.states.length ? belief(i, LAST, leading(i, LAST)) : 0));
  const asked = (i) => (nodes[i].asked ? 1 : 0);
  return nodes.map((_, i) => i).filter((i) => nodes[i].column >= 0)
    .sort((a, b) => asked(b) - asked(a) || rank(a) - rank(b) || ends[b] - ends[a] || a - b);
}

function drawHeat() {
  if (!heat.box || !ROWS || !$("heat-box").open) return undefined;
  const look = theme();
  if (!heat.order.length) heat.order = heatOrder();
  const count = heat.order.length;
  if (!count) { $("heat-box").hidden = true; return undefined; }
  const few = count <= 45, left = few ? labelRoom(heat.box.clientWidth) : 62;
  const states = heat.order.map((i) => leading(i, LAST));
  if (!heat.z) {
    heat.z = heat.order.map((index, k) => curve(index, states[k]));
    heat.names = heat.order.map((index, k) => new Array(ROWS).fill(plain(label(index, states[k]))));
  }
  const trace = {type: "heatmap", z: heat.z, customdata: heat.names, zmin: 0, zmax: 1, colorscale: look.belief, zsmooth: false,
    text: undefined, hovertemplate: "%{customdata}<br>belief %{z:.3f}<extra></extra>",
    colorbar: {thickness: 10, outlinewidth: 0, len: Math.min(1, 0.4 + 60 / (count * 8)), tickvals: [0, 0.5, 1], x: 1.005, xpad: 4}};
  const height = 56 + Math.min(620, Math.max(70, count * (few ? 17 : 4)));
  const room = Math.floor((left - 12) / 6.2);
  const layout = layoutOf(look, {height, margin: {l: left, r: 54, t: 6, b: 42}, xaxis: rowAxis(look),
    yaxis: axis(look, {autorange: false, range: [count - 0.5, -0.5], showgrid: false, ticks: "",
      ...(few ? {tickvals: heat.order.map((_, k) => k), ticktext: heat.order.map((i, k) => plain(label(i, states[k], room / (binary(nodes[i]) ? 1 : 2)), room))}
        : {title: {text: `${count} nodes`, standoff: 4}, showticklabels: false})}), shapes: heatMark(look)});
  const done = Plotly.react(heat.box, [trace], layout, CONFIG);
  if (!heat.wired) {
    heat.box.on("plotly_click", (event) => showNode(heat.order[Math.round(event.points[0].y)]));
  }
  wireTime(heat, Math.round);
  return done;
}

function heatMark(look) {
  const at = heat.order.indexOf(view.node);
  return at < 0 ? [] : [{type: "rect", x0: 0, x1: 1, xref: "paper", y0: at - 0.5, y1: at + 0.5, line: {color: look.bad, width: 1.5}}];
}

// Something of both ends of an arrow stays.
function arrowLabel(text, room) {
  const [source, target] = text.split(/ (?:->|\u2192) /);
  if (target === undefined || text.length <= room) return plain(text, room);
  const half = Math.floor((room - 1) / 2);
  return `${plain(source, Math.max(half, room - 1 - target.length))}\u2192${plain(target, Math.max(half, room - 1 - source.length))}`;
}

const slow = {box: $("slow"), byRow: true};

function drawSlow() {
  if (!slow.box || !ROWS || !$("slow-box").open) return undefined;
  const found = data.slow;
  if (!found) { $("slow-box").hidden = true; return undefined; }
  const look = theme(), count = found.labels.length;
  if (!slow.z) {
    const cells = unpack(found.values, Uint8Array), step = (found.highest - found.lowest) / 254;
    slow.z = found.labels.map((_, m) => Array.from({length: ROWS}, (_, row) => {
      const value = cells[row * count + m];
      return value ? found.lowest + (value - 1) * step : null;
    }));
    slow.names = found.labels.map((text) => new Array(ROWS).fill(plain(text, 80)));
  }
  const left = labelRoom(slow.box.clientWidth), room = Math.floor((left - 12) / 6.2);
  const floor = Math.max(found.lowest, Math.log10(data.tolerance || 1e-12) - 1);
  const powers = [-12, -9, -6, -3, 0].filter((p) => p >= floor);
  const trace = {type: "heatmap", z: slow.z, customdata: slow.names, colorscale: look.residual, zmin: floor, zmax: 0.5,
    hovertemplate: "%{customdata}<br>10^%{z:.1f} nats<extra></extra>", hoverongaps: false,
    colorbar: {thickness: 10, outlinewidth: 0, tickvals: powers, ticktext: powers.map((p) => `10<sup>${p}</sup>`), x: 1.005, xpad: 4}};
  const layout = layoutOf(look, {height: 56 + Math.max(70, count * 15), margin: {l: left, r: 54, t: 6, b: 42}, xaxis: rowAxis(look),
    yaxis: axis(look, {autorange: false, range: [count - 0.5, -0.5], showgrid: false, ticks: "", tickfont: {size: 11},
      tickvals: found.labels.map((_, m) => m), ticktext: found.labels.map((text) => arrowLabel(text, room))})});
  const done = Plotly.react(slow.box, [trace], layout, CONFIG);
  wireTime(slow, Math.round);
  return done;
}

// The curve of the chosen node stands in a panel that is made anew for every node.
let smallCurve = null;

function drawCurve(box) {
  const node = nodes[view.node];
  if (!ROWS || node.column < 0) { smallCurve = null; return; }
  const look = theme();
  const order = node.states.map((_, s) => s).sort((a, b) => belief(view.node, LAST, b) - belief(view.node, LAST, a));
  const states = binary(node) ? [1] : order.slice(0, 6);
  const x = data.iterations;
  const traces = states.map((s, i) => ({x, y: curve(view.node, s), type: "scatter", mode: ROWS === 1 ? "markers" : "lines", name: plain(node.states[s], 30),
    line: {color: look.series[i % 7], width: 2.2, dash: DASHES[i % 7]}, hovertemplate: "%{fullData.name}: %{y:.4f}<extra></extra>"}));
  states.forEach((s, i) => {
    if (node.exact) traces.push({x: span(), y: [node.exact[s], node.exact[s]], mode: "lines", type: "scatter", hoverinfo: "skip", line: {color: look.series[i % 7], width: 1.4, dash: "1px,3px"}});
  });
  const layout = layoutOf(look, {height: 150, margin: {l: 34, r: 8, t: 6, b: 24}, dragmode: false,
    xaxis: axis(look, {range: span(), tick0: 0, dtick: 2 * ticks(), tickformat: "d"}), yaxis: axis(look, {range: [-0.03, 1.03], tickvals: [0, 0.5, 1]})});
  Plotly.newPlot(box, traces, layout, {...CONFIG, displayModeBar: false});
  smallCurve = {box, width: box.clientWidth, cursor: box.parentElement.querySelector(".cursor")};
  moveCursor(smallCurve);
}
