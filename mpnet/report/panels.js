// Words beside the pictures: the list of nodes, the node that is chosen, the legend, the events.

// ---- the list of nodes: the graph in words ----

const PAGE = 60;
const RANKS = ["choice", "composite", "model"];
const rankOf = (node) => (node.asked ? 0 : 10) + (RANKS.includes(node.kind) ? RANKS.indexOf(node.kind) : 9);
const list = {shown: PAGE, items: [], found: [], order: nodes.map((_, i) => i).sort((a, b) => rankOf(nodes[a]) - rankOf(nodes[b]) || a - b)};

function matches(node) {
  const text = $("search").value.trim().toLowerCase();
  if (text && ![node.name, node.type, ...node.states].some((t) => t.toLowerCase().includes(text))) return false;
  if ($("kind").value && node.kind !== $("kind").value) return false;
  if ($("asked").checked && !node.asked) return false;
  if ($("seen").checked && !node.evidence) return false;
  return !$("awake").checked || isAwake(node, data.iterations[view.row]);
}

function wordsOf(index, row) {
  const node = nodes[index];
  const parts = [node.name, node.kind];
  if (node.asked) parts.push("in question");
  if (node.evidence) parts.push(`observed ${node.evidence}`);
  if (!isAwake(node, data.iterations[row])) parts.push("asleep");
  if (node.states.length) {
    const s = leading(index, row);
    parts.push(`${binary(node) ? "belief" : node.states[s]} ${probability(belief(index, row, s))}`);
  }
  return parts.join(", ");
}

// A name that may be too long for its place loses its middle: names that begin alike end differently.
function nameTag(text, kind) {
  const tail = text.length > 14 ? 6 : 0;
  return make("span", {class: kind, title: text}, make("span", {class: "head"}, text.slice(0, text.length - tail)), tail ? make("span", {}, text.slice(-tail)) : "");
}

function fillList() {
  const text = $("search").value.trim();
  list.found = list.order.filter((i) => matches(nodes[i]));
  const box = $("list");
  list.items = list.found.slice(0, list.shown).map((index) => {
    const node = nodes[index];
    const name = nameTag(node.name, node.asked ? "name asked" : "name");
    const fill = make("span", {class: "fill"});
    const value = make("span", {class: "value"});
    const bar = make("span", {class: "bar", "aria-hidden": "true"}, fill);
    const button = make("button", {type: "button", "aria-pressed": String(index === view.node), onclick: () => showNode(index)}, name, bar, value);
    return {index, button, fill, value, item: make("li", {}, button)};
  });
  box.replaceChildren(...list.items.map((entry) => entry.item));
  const total = nodes.length, count = list.found.length, here = list.items.length;
  $("found").textContent = count === 0 ? "no node is like that" : `${count === total ? "" : `${count.toLocaleString("en")} of `}${total.toLocaleString("en")} nodes${here < count ? `, ${here} listed` : ""}`;
  $("more").hidden = here >= count;
  scrubList(view.row);
  const lines = text && list.found.length <= 6 ? list.found : [];
  if (String(lines) !== String(searched)) {
    searched = lines;
    drawSeries();
    fillLegend();
  }
}

function fillBar(fill, p) {
  fill.hidden = Number.isNaN(p);
  fill.style.width = `${100 * (fill.hidden ? 0 : p)}%`;
}

function scrubList(row) {
  for (const {index, button, fill, value} of list.items) {
    const node = nodes[index];
    button.setAttribute("aria-label", wordsOf(index, row));
    button.classList.toggle("asleep", !isAwake(node, data.iterations[row]));
    const p = node.states.length ? belief(index, row, leading(index, row)) : NaN;
    fillBar(fill, p);
    value.textContent = node.states.length ? probability(p) : "";
  }
}

// ---- the node that is chosen ----

const panel = {cells: []};

function goTo(index, text) {
  return make("button", {type: "button", onclick: () => { showNode(index); $("panel").focus({preventScroll: true}); }}, text);
}

const byName = new Map(nodes.map((node, i) => [node.name, i]));

function linkTo(name) {
  return byName.has(name) ? goTo(byName.get(name), name) : make("span", {}, name);
}

// A bar to the right for support, to the left for protest.
function share(what, value, most, tail = "") {
  const bar = make("i", {class: value < 0 ? "minus" : ""});
  const half = Number.isNaN(value) || most === 0 ? 0 : 50 * Math.min(1, Math.abs(value) / most);
  bar.style.left = `${value < 0 ? 50 - half : 50}%`;
  bar.style.width = `${half}%`;
  return make("li", {}, make("span", {}, ...what, tail ? make("span", {class: "small"}, ` ${tail}`) : ""),
    make("span", {class: "split", "aria-hidden": "true"}, bar), make("span", {class: "value"}, nats(value)));
}

function largest(numbers) {
  return Math.max(1e-9, ...numbers.filter(Number.isFinite).map(Math.abs));
}

function statesTable(node, index) {
  const ranked = node.states.map((_, s) => s).sort((a, b) => belief(index, LAST, b) - belief(index, LAST, a));
  const states = binary(node) ? [1] : ranked.slice(0, 8).sort((a, b) => a - b);
  const heads = ["state", "now", "", "final", ...(node.exact ? ["exact"] : []), "prior"];
  const head = make("tr", {}, ...heads.map((text) => make("th", {scope: "col", class: text === "state" || text === "now" ? "" : "n"}, text)));
  panel.cells = [];
  const rows = states.map((s) => {
    const fill = make("span", {class: "fill"});
    const value = make("td", {class: "n"});
    panel.cells.push({state: s, fill, value});
    const final = node.final ? real(node.final[s]) : NaN;
    return make("tr", {}, make("th", {scope: "row"}, node.states[s]), make("td", {}, make("span", {class: "bar", "aria-hidden": "true"}, fill)), value,
      make("td", {class: "n"}, probability(final)), ...(node.exact ? [make("td", {class: "n"}, probability(real(node.exact[s])))] : []),
      make("td", {class: "n"}, probability(node.prior.length ? real(node.prior[s]) : NaN)));
  });
  const more = node.states.length - states.length;
  return [make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)), more > 1 || (more && !binary(node)) ? make("p", {class: "small"}, `${more} more states`) : ""];
}

// Some estimators answer with more than their last iteration: a mixture of several runs, say.
function settledElsewhere(node, index) {
  if (!node.final || node.column < 0 || !ROWS) return [];
  const off = Math.max(...node.states.map((_, s) => Math.abs(real(node.final[s]) - belief(index, LAST, s))));
  return off > 0.01 ? [make("p", {class: "small"}, "The final belief is not that of the last iteration: the estimator combined or corrected what it passed through.")] : [];
}

// The log-odds of the two likeliest states, as far as messages say.
function rivals(node) {
  if (binary(node)) return [1, 0];
  const ranked = node.states.map((_, s) => s).sort((a, b) => real(node.final[b]) - real(node.final[a]));
  return [ranked[0], ranked.length > 1 ? ranked[1] : ranked[0]];
}

function messagesTo(index) {
  const node = nodes[index];
  const mine = data.messages.filter((m) => m[1] === index);
  if (!mine.length || !node.final) return null;
  const [up, down] = rivals(node);
  const gain = (values) => {
    const difference = real(values[up]) - real(values[down]);
    return Number.isNaN(difference) ? 0 : difference;
  };
  const found = mine.map((m) => ({source: m[0], value: gain(m[2]), residual: real(m[3]), settled: m[4]}));
  found.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  return {found, up, down, total: found.reduce((sum, m) => sum + m.value, 0)};
}

// Who a share comes from, then how: names lead to their nodes.
function sourceOf(kind, names, text) {
  if (kind === "prior") return ["prior"];
  const links = names.flatMap((name, k) => (k ? [", ", linkTo(name)] : [linkTo(name)]));
  const rest = names.length === 1 && text.startsWith(`${names[0]}: `) ? text.slice(names[0].length + 1) : ` ${text}`;
  return [...links, text ? rest : ""];
}

function explained(index) {
  const why = data.explanations[index];
  if (!why) return [];
  const shares = why.shares.map(([kind, names, value, , text, without]) => ({kind, names, text, value: real(value), without: real(without)}))
    .filter((s) => s.kind !== "estimator" || Math.abs(s.value) >= 0.005);
  const most = largest(shares.map((s) => s.value));
  const items = shares.map((s) => share(sourceOf(s.kind, s.names, s.text), s.value, most,
    Number.isNaN(s.without) ? "" : `· without it ${probability(s.without)}`));
  const total = make("li", {class: "sum"}, make("span", {}, `log-odds of ${cut(why.state, 24)} against ${cut(why.against, 24)}`), make("span", {}), make("span", {class: "value"}, nats(real(why.logOdds))));
  return [make("h4", {}, "Why"), make("p", {}, why.headline), make("ul", {class: "shares"}, ...items, total),
    make("p", {class: "small"}, `In nats, at the end: to the right what speaks for it, to the left what speaks against it. Shares from ${why.reference} answers.`),
    ...why.notes.map((text) => make("p", {class: "small"}, text))];
}

function messages(index) {
  const found = messagesTo(index);
  if (!found) {
    return data.messages.length ? [make("p", {class: "small"}, "No message reaches it: what it is was observed, or it was summed out before the run.")]
      : [make("p", {class: "small"}, "This run kept no messages.")];
  }
  const node = nodes[index], most = largest(found.found.map((m) => m.value));
  const moving = (m) => data.status !== "converged" && m.residual > data.tolerance;
  const items = found.found.slice(0, 40).map((m) => {
    const item = share([linkTo(m.source)], m.value, most, moving(m) ? `still moves by ${small(m.residual)}` : "");
    if (m.settled > 0) item.title = `last moved at iteration ${m.settled}`;
    return item;
  });
  const words = `log-odds of ${cut(node.states[found.up], 24)} against ${cut(node.states[found.down], 24)}`;
  const sum = make("li", {class: "sum"}, make("span", {}, words), make("span", {}), make("span", {class: "value"}, nats(found.total)));
  const title = data.explanations[index] ? "Messages that reach it" : "Why: the messages that reach it";
  const more = found.found.length - 40;
  return [make("h4", {}, title), make("ul", {class: "shares"}, ...items, sum),
    make("p", {class: "small"}, `${more > 0 ? `${more} weaker ones are not listed. ` : ""}In nats, at the end: each message's share of the log-odds; they add up.`)];
}

function predictions(index) {
  const phrase = (edge, other) => {
    const [, , state, strength, , kind] = edge;
    const verb = kind === "rule" ? "rule" : kind === "explains" ? "explains" : real(strength) < 0 ? "won't" : "will";
    const word = make("span", {class: `verb ${verb.replace("'", "")}`}, verb);
    const rest = kind === "rule" ? "" : ` ${nats(real(strength))}`;
    return make("li", {}, make("span", {}, goTo(other, nodes[other].name), state && state !== "active" ? ` ${state} ` : " ", word), make("span", {}), make("span", {class: "value"}, rest));
  };
  const part = (title, edges, end) => edges.length ? [make("h4", {}, `${title} (${edges.length})`), make("ul", {class: "shares"}, ...edges.slice(0, 30).map((e) => phrase(e, e[end]))),
    edges.length > 30 ? make("p", {class: "small"}, `${edges.length - 30} more`) : ""] : [];
  return [...part("It predicts", data.edges.filter((e) => e[0] === index), 1), ...part("Predicted by", data.edges.filter((e) => e[1] === index), 0)];
}

function fillPanel(index) {
  const body = $("panel-body");
  if (smallCurve) { Plotly.purge(smallCurve.box); smallCurve = null; }
  panel.cells = [];
  if (index < 0) return;
  const node = nodes[index];
  $("panel-title").textContent = node.name;
  const chips = [node.kind, ...(node.type !== node.kind ? [node.type] : []), ...(node.asked ? ["in question"] : [])];
  const line = make("p", {}, ...chips.flatMap((text) => [make("span", {class: "chip"}, text), " "]));
  const parts = [line];
  if (node.evidence) parts.push(make("p", {}, `Observed: ${node.evidence}`));
  panel.now = make("p", {class: "small"});
  if (node.states.length) parts.push(...statesTable(node, index), panel.now, ...settledElsewhere(node, index));
  const box = make("div", {class: "picture", role: "img", "aria-label": `Belief of ${node.name} over the iterations`});
  if (node.column >= 0 && ROWS > 1) parts.push(make("div", {class: "over"}, box, make("div", {class: "cursor"})));
  else if (node.states.length && ROWS > 1) parts.push(make("p", {class: "small"}, "Its belief was not followed over the iterations."));
  parts.push(...explained(index));
  if (node.states.length) parts.push(...messages(index));
  parts.push(...predictions(index));
  body.replaceChildren(...parts);
  $("panel").scrollTop = 0;
  if (node.column >= 0 && ROWS > 1) drawCurve(box);
  scrubPanel(view.row);
}

function scrubPanel(row) {
  if (view.node < 0) return;
  for (const {state, fill, value} of panel.cells) {
    const p = belief(view.node, row, state);
    fillBar(fill, p);
    value.textContent = probability(p);
  }
  const node = nodes[view.node];
  if (!panel.now) return;
  panel.now.textContent = ROWS ? `now: iteration ${data.iterations[row]}${isAwake(node, data.iterations[row]) ? "" : ", asleep"}` : "";
  if (smallCurve) moveCursor(smallCurve);
}

// ---- the legend of the lines, and the events ----

const legend = {items: []};

function fillLegend() {
  const box = $("legend");
  if (!box) return;
  const look = theme();
  legend.items = series.lines.map((line) => {
    const stroke = drawn("line", {x1: 1, y1: 6, x2: 33, y2: 6, stroke: look.series[line.color], "stroke-width": 3,
      "stroke-dasharray": line.dash === "solid" ? "none" : line.dash.replace(/px/g, "")});
    const value = make("span", {class: "value"});
    const text = label(line.index, line.state, 200);
    const button = make("button", {type: "button", "aria-pressed": String(line.index === view.node), title: text, onclick: () => showNode(line.index)},
      drawn("svg", {width: 34, height: 12, "aria-hidden": "true"}, stroke), nameTag(label(line.index, line.state, 80), "name"), value);
    return {line, value, item: make("li", {}, button)};
  });
  box.replaceChildren(...legend.items.map((entry) => entry.item));
  scrubLegend(view.row);
}

function scrubLegend(row) {
  if (!legend.items.length) return;
  $("lines-at").textContent = `at iteration ${data.iterations[row]}`;
  for (const {line, value} of legend.items) value.textContent = probability(belief(line.index, row, line.state));
}

const eventButtons = [...document.querySelectorAll("button.event")];

function scrubEvents(row) {
  const now = data.iterations[row];
  for (const button of eventButtons) {
    const event = data.events[Number(button.dataset.event)];
    button.classList.toggle("future", event[0] > now);
    if (event[1] === row) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
}

function graphKey() {
  const look = theme();
  const kinds = [...new Set(nodes.map((n) => n.kind))];
  const shapes = {feature: "M6 1a5 5 0 1 0 .01 0Z", model: "M1 1h10v10h-10Z", composite: "M3.5 1h5l3 5-3 5h-5l-3-5Z", choice: "M6 0l6 6-6 6-6-6Z", data: "M0 1h12l-6 10Z"};
  const icon = (path, extra = {}) => drawn("svg", {width: 13, height: 13, viewBox: "-0.5 -0.5 13 13", "aria-hidden": "true"}, drawn("path", {d: path, fill: "none", stroke: look.ink, "stroke-width": 1.3, ...extra}));
  const parts = kinds.map((kind) => make("span", {}, icon(shapes[kind] || shapes.model), kind));
  if (nodes.some((n) => n.evidence)) parts.push(make("span", {}, icon(shapes.feature, {"stroke-width": 2.6}), "double rim: observed"));
  const used = new Set(data.edges.map(kindOf));
  const told = {will: "will", wont: "won't", explains: "explains", rule: "rule"};
  for (const kind of Object.keys(told)) {
    if (!used.has(kind)) continue;
    const dash = kind === "explains" ? "5 3" : kind === "rule" ? "2 2" : "none";
    parts.push(make("span", {}, drawn("svg", {width: 26, height: 8, "aria-hidden": "true"}, drawn("line", {x1: 0, x2: 26, y1: 4, y2: 4, stroke: look.edges[kind], "stroke-width": 3, "stroke-dasharray": dash})), told[kind]));
  }
  const stops = look.belief.map(([at, color]) => `${color} ${100 * at}%`).join(", ");
  const ramp = make("span", {"aria-hidden": "true"});
  ramp.style.cssText = `width:70px;height:10px;border:1px solid ${look.soft};background:linear-gradient(to right, ${stops})`;
  parts.push(make("span", {}, "belief 0", ramp, "1"));
  if (someSleep) parts.push(make("span", {}, "faint: asleep"));
  parts.push(make("span", {}, "drag to move, double click to fit"));
  $("graph-key").replaceChildren(...parts);
}
