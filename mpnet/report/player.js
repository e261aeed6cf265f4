// The player: moves the state, and starts everything.

const player = {timer: 0, frame: 0, wanted: 0, speak: 0, said: ""};
const PACE = 14000;  // milliseconds that a long run takes at speed 1

function wordsNow(row) {
  const parts = [`iteration ${data.iterations[row]} of ${data.iterations[LAST]}`];
  const residual = real(data.residual[row]);
  if (!Number.isNaN(residual)) parts.push(`residual ${small(residual)} nats`);
  const first = leader(row);
  if (first) parts.push(`leader ${label(first.index, first.state, 40)} ${probability(first.belief)}`);
  const stage = data.stages.find(([, from, to]) => row >= from && row <= to);
  if (stage && data.stages.length > 1) parts.push(stage[0]);
  const now = data.events.filter((event) => event[1] === row);
  if (now.length) parts.push(now[0][4] + (now.length > 1 ? ` (+${now.length - 1} more)` : ""));
  return parts;
}

function scrubStatus(row) {
  if (!ROWS) return;
  const parts = wordsNow(row);
  $("now").replaceChildren(...parts.map((text, i) => make("span", {}, i === 0 ? make("b", {}, text) : text)));
  const slider = $("slider");
  if (Number(slider.value) !== row) slider.value = String(row);
  slider.setAttribute("aria-valuetext", parts.slice(0, 3).join(", "));
  for (const id of ["to-first", "to-earlier"]) $(id).disabled = row === 0 && document.activeElement !== $(id);
  for (const id of ["to-last", "to-later"]) $(id).disabled = row === LAST && document.activeElement !== $(id);
  // Screen readers are told when it comes to rest, not of every step.
  clearTimeout(player.speak);
  player.speak = setTimeout(() => { $("status").textContent = parts.join(", "); }, 500);
}

// However fast input comes, at most one change a frame.
function want(row) {
  player.wanted = Math.max(0, Math.min(LAST, row));
  if (player.frame) return;
  player.frame = requestAnimationFrame(() => {
    player.frame = 0;
    showRow(player.wanted);
  });
}

function target() {
  return player.frame ? player.wanted : view.row;
}

function pause() {
  clearTimeout(player.timer);
  player.timer = 0;
  tellPlaying(false);
}

function tellPlaying(playing) {
  $("play").setAttribute("aria-pressed", String(playing));
  $("play").querySelector("path").setAttribute("d", playing ? "M2 1h4v12h-4ZM9 1h4v12h-4Z" : "M3 1l10 6-10 6Z");
  $("play").querySelector(".label").textContent = playing ? "Pause" : "Play";
}

// One iteration a step; where motion is not wanted, from event to event, with time to look.
function step() {
  const speed = Number($("speed").value);
  let next = view.row + 1, wait = Math.max(40, Math.min(400, PACE / Math.max(1, LAST))) / speed;
  if (calm.matches) {
    const stops = [...new Set(data.events.map((event) => event[1])), LAST].sort((a, b) => a - b);
    next = stops.find((row) => row > view.row) ?? LAST;
    wait = 2000 / speed;
  } else if (wait < 40) {
    next = view.row + Math.round(40 / wait);
    wait = 40;
  }
  showRow(next);
  if (view.row >= LAST) pause();
  else player.timer = setTimeout(step, wait);
}

function play() {
  if (player.timer) { pause(); return; }
  if (LAST === 0) return;
  if (view.row >= LAST) showRow(0);
  tellPlaying(true);
  player.timer = setTimeout(step, 150);
}

const MOVES = {ArrowRight: () => target() + 1, ArrowLeft: () => target() - 1, ArrowUp: () => target() + 1, ArrowDown: () => target() - 1,
  Home: () => 0, End: () => LAST, PageDown: () => target() - 10, PageUp: () => target() + 10};

function wireKeys(element) {
  element.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.tagName === "SELECT") return;
    if (event.key === " " && event.target.tagName !== "BUTTON") play();
    else if (MOVES[event.key]) { pause(); want(MOVES[event.key]()); }
    else return;
    event.preventDefault();
  });
}

function wirePlayer() {
  const slider = $("slider");
  slider.max = String(LAST);
  slider.addEventListener("input", () => { pause(); want(Number(slider.value)); });
  const go = {"to-first": () => 0, "to-earlier": () => target() - 1, "to-later": () => target() + 1, "to-last": () => LAST};
  for (const [id, where] of Object.entries(go)) $(id).addEventListener("click", () => { pause(); want(where()); });
  $("play").addEventListener("click", play);
  wireKeys($("player"));
  for (const id of ["series", "heat", "slow", "graph"]) {
    if (!$(id)) continue;
    $(id).tabIndex = 0;
    wireKeys($(id));
  }
  const marks = [...new Set(data.events.map((event) => event[1]))].slice(0, 200);
  $("marks").replaceChildren(...marks.map((row) => {
    const mark = make("i");
    mark.style.left = `${LAST ? (100 * row) / LAST : 0}%`;
    return mark;
  }));
  for (const button of eventButtons) {
    button.addEventListener("click", () => {
      const event = data.events[Number(button.dataset.event)];
      pause();
      showRow(event[1]);
      if (event[3] >= 0) showNode(event[3]);
    });
  }
}

function wireList() {
  const kinds = [...new Set(nodes.map((node) => node.kind))].sort();
  $("kind").append(...kinds.map((kind) => make("option", {value: kind}, kind)));
  $("awake-filter").hidden = !someSleep;
  $("seen-filter").hidden = !nodes.some((node) => node.evidence);
  const again = () => { list.shown = PAGE; fillList(); };
  $("search").addEventListener("input", again);
  for (const id of ["kind", "asked", "awake", "seen"]) $(id).addEventListener("change", again);
  $("more").addEventListener("click", () => { list.shown += PAGE; fillList(); });
}

// Names in the table of beliefs lead to the node.
function wireTable() {
  for (const name of document.querySelectorAll("[data-node]")) {
    const index = Number(name.dataset.node);
    const button = make("button", {type: "button", class: `link ${name.className}`, onclick: () => {
      showNode(index);
      $("society").scrollIntoView();
      $("panel").focus({preventScroll: true});
    }}, name.textContent);
    name.replaceWith(button);
  }
}

function saveTrace() {
  const quote = (text) => `"${text.replace(/"/g, '""')}"`;
  const columns = nodes.flatMap((node, i) => (node.column < 0 ? [] : node.states.map((_, s) => [i, s])));
  const head = ["iteration", "residual", "log_z", ...columns.map(([i, s]) => quote(`${nodes[i].name}=${nodes[i].states[s]}`))];
  const number = (value) => (Number.isNaN(value) ? "" : String(value));
  const rows = data.iterations.map((iteration, row) => [iteration, number(real(data.residual[row])), number(real(data.logZ[row])),
    ...columns.map(([i, s]) => number(Number(belief(i, row, s).toFixed(5))))].join(","));
  const link = make("a", {download: "trace.csv", href: URL.createObjectURL(new Blob([`${head.join(",")}\n${rows.join("\n")}\n`], {type: "text/csv"}))});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function drawEverything() {
  graphKey();
  drawGraph();
  drawSeries();
  fillLegend();
  drawHeat();
  drawSlow();
  if (view.node >= 0) fillPanel(view.node);
}

function later(task) {
  return new Promise((done) => setTimeout(() => { task(); done(); }, 0));
}

async function start() {
  document.documentElement.classList.add("js");
  for (const element of document.querySelectorAll("section.live")) element.hidden = false;
  $("player").hidden = ROWS < 2;
  $("awake").closest(".filters").hidden = false;
  wirePlayer();
  wireList();
  wireTable();
  onRow.push(scrubStatus, scrubGraph, scrubList, scrubPanel, scrubLegend, scrubEvents, () => timed.forEach(moveCursor),
    () => { if ($("awake").checked) fillList(); });
  onNode.push(fillPanel, () => { for (const {index, button} of list.items) button.setAttribute("aria-pressed", String(index === view.node)); },
    drawGraph, drawSeries, fillLegend, () => { if (heat.wired) Plotly.relayout(heat.box, {shapes: heatMark(theme())}); });
  if (!nodes.length) $("society").hidden = true;
  fillList();
  graphKey();
  const first = leader(LAST);
  if (nodes.length) {
    view.node = first ? first.index : contenders.length ? contenders[0] : 0;
    fillPanel(view.node);
    for (const {index, button} of list.items) button.setAttribute("aria-pressed", String(index === view.node));
    await drawGraph();
  }
  drawSeries();
  fillLegend();
  if (ROWS) showRow(LAST);
  await later(drawHeat);
  await later(drawSlow);
  for (const [id, draw] of [["heat-box", drawHeat], ["slow-box", drawSlow]]) if ($(id)) $(id).addEventListener("toggle", draw);
  if ($("save-trace")) $("save-trace").addEventListener("click", saveTrace);
  dark.addEventListener("change", drawEverything);
  window.addEventListener("beforeprint", () => { printing = true; drawEverything(); });
  window.addEventListener("afterprint", () => { printing = false; drawEverything(); });
  document.documentElement.dataset.ready = "yes";
}

start();
