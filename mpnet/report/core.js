// What everything on the page shares: the data, beliefs, words, and the one state that is shown.

const data = JSON.parse(document.getElementById("data").textContent);
const nodes = data.nodes;
const ROWS = data.iterations.length;
const LAST = Math.max(0, ROWS - 1);
const MINUS = "\u2212";
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
const $ = (id) => document.getElementById(id);

// The state: a row of the trace, and the index of the node that is chosen (-1: none).
const view = {row: LAST, node: -1};
const onRow = [];
const onNode = [];
const onTheme = [];

function real(value) {
  return value === "inf" ? Infinity : value === "-inf" ? -Infinity : value === null ? NaN : value;
}

// Elements are made of text only: nothing that a name holds can become markup.
function make(tag, options = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(options)) {
    if (key === "class") element.className = value;
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

function drawn(tag, options, ...children) {
  const element = document.createElementNS("http:" + "//www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(options)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function unpack(base64, Kind) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  if (Kind === Uint8Array) return bytes;
  const view = new DataView(bytes.buffer);
  const numbers = new Uint16Array(bytes.length / 2);
  for (let i = 0; i < numbers.length; i++) numbers[i] = view.getUint16(2 * i, true);
  return numbers;
}

const packed = unpack(data.beliefs, Uint16Array);

function cell(row, column) {
  const value = packed[row * data.columns + column];
  return value > data.whole ? NaN : value / data.whole;
}

// Belief in one state; a node of two states keeps only the second.
function belief(index, row, state) {
  const node = nodes[index];
  if (node.column < 0 || ROWS === 0) return node.final ? real(node.final[state]) : NaN;
  if (node.states.length !== 2) return cell(row, node.column + state);
  const second = cell(row, node.column);
  return state === 1 ? second : 1 - second;
}

const binary = (node) => node.states.length === 2 && node.states[1] === "active";

function leading(index, row, from = 0) {
  const node = nodes[index];
  if (binary(node)) return 1;
  let best = Math.min(from, node.states.length - 1);
  for (let s = best + 1; s < node.states.length; s++) {
    if (belief(index, row, s) > belief(index, row, best)) best = s;
  }
  return best;
}

// How far a node is lit in the graph: what is off is dark, however sure that is.
function lit(index, row) {
  return nodes[index].states[0] === "off" ? 1 - belief(index, row, 0) : belief(index, row, leading(index, row));
}

function curve(index, state) {
  return Array.from({length: ROWS}, (_, row) => belief(index, row, state));
}

function isAwake(node, iteration) {
  if (!node.toggles) return true;
  let now = node.toggles[0][1] === 0;
  for (const [at, awake] of node.toggles) if (at <= iteration) now = awake === 1;
  return now;
}

const someSleep = nodes.some((node) => node.toggles);

function probability(p) {
  if (Number.isNaN(p)) return "–";
  if (p > 0 && p < 1e-4) return "<0.0001";
  if (p > 0 && p < 0.0095) return String(Number(p.toFixed(4)));
  return p >= 0.995 && p < 1 ? ">0.99" : p.toFixed(2);
}

function nats(value, digits = 2) {
  if (Number.isNaN(value)) return "–";
  if (Math.abs(value) < 0.5 * 10 ** -digits) return value === 0 ? "0" : "\u22480";
  const size = Number.isFinite(value) ? Math.abs(value).toFixed(digits) : "\u221e";
  return (value < 0 ? MINUS : "+") + size;
}

function small(value) {
  if (Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return "\u221e";
  return value === 0 || (value >= 0.01 && value < 1000) ? String(Number(value.toPrecision(2))) : value.toExponential(1);
}

function cut(text, most) {
  if (text.length <= most) return text;
  const tail = Math.floor((most - 1) / 3);
  return text.slice(0, most - 1 - tail) + "\u2026" + text.slice(text.length - tail);
}

// Plotly reads a few tags in its texts: names must not be able to hold one.
function plain(text, most = 60) {
  return cut(text, most).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

function label(index, state, most = 40) {
  const node = nodes[index];
  return binary(node) && state === 1 ? cut(node.name, most) : `${cut(node.name, most)} = ${cut(node.states[state], most)}`;
}

// Who leads at a row: the likeliest among the nodes in question, else among all models.
const contenders = (() => {
  const owners = nodes.map((_, i) => i).filter((i) => nodes[i].states.length && nodes[i].column >= 0);
  const asked = owners.filter((i) => nodes[i].asked);
  const models = owners.filter((i) => nodes[i].kind !== "feature" && !nodes[i].evidence);
  return asked.length ? asked : models.length ? models : owners;
})();

function leader(row) {
  let best = -1, most = -1, state = 0;
  for (const index of contenders) {
    if (!isAwake(nodes[index], data.iterations[row])) continue;
    const s = leading(index, row, nodes[index].states[0] === "off" ? 1 : 0);
    const p = belief(index, row, s);
    if (p > most) [best, most, state] = [index, p, s];
  }
  return best < 0 ? null : {index: best, state, belief: most};
}

function rowOf(iteration) {
  let low = 0, high = LAST;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (data.iterations[middle] < iteration) low = middle + 1;
    else high = middle;
  }
  return low;
}

function showRow(row) {
  view.row = Math.max(0, Math.min(LAST, row));
  for (const tell of onRow) tell(view.row);
}

function showNode(index) {
  view.node = index;
  for (const tell of onNode) tell(index);
}
