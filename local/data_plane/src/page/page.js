// Everything that is shown comes from outside, so it is set as text, never as HTML.
"use strict";

const REQUESTS_SHOWN = 200;
const BARS_SHOWN = 60;
const COPIED_MILLISECONDS = 1200;

const find = (id) => document.getElementById(id);

/** An element with properties, and children that are elements or text. */
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** Puts children in the place of those that are there, and shows `empty` if there are none. */
function fill(id, children, empty) {
  find(id).replaceChildren(...children);
  find(empty).hidden = children.length > 0;
}

function copyButton(text, what) {
  const button = make("button", { type: "button", textContent: "Copy" });
  button.setAttribute("aria-label", `Copy ${what}`);
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, COPIED_MILLISECONDS);
  });
  return button;
}

function pill(text, kind) {
  return make("span", { className: `pill ${kind}`, textContent: text });
}

function tag(text) {
  return make("span", { className: "tag", textContent: text });
}

function statusKind(status) {
  return status < 400 ? "good" : status < 500 ? "warn" : "bad";
}

// Front doors

let frontDoors = [];
let shownFrontDoors = "";

function showFrontDoors(state) {
  frontDoors = state.front_doors;
  // What has not changed stays as it is: somebody may be selecting text in it.
  if (JSON.stringify(frontDoors) === shownFrontDoors) return;
  shownFrontDoors = JSON.stringify(frontDoors);
  fill("front-doors", frontDoors.map(frontDoorCard), "no-front-doors");
  const select = find("try-front-door");
  const chosen = select.value;
  select.replaceChildren(...frontDoors.map(({ name }) => make("option", { value: name, textContent: name })));
  if (frontDoors.some(({ name }) => name === chosen)) select.value = chosen;
  else proposeSample();
}

function frontDoorCard(door) {
  const field = (label, text, what, clip) => make("div", { className: "field" },
    make("span", { className: "label", textContent: label }),
    make("code", { textContent: text, title: text, className: clip ? "clip" : "" }),
    copyButton(text, `${what} of ${door.name}`));
  const headers = Object.entries(door.headers).map(([name, value]) => field(name, value, name));
  const tryIt = make("button", { type: "button", className: "aside", textContent: "Try it" });
  tryIt.addEventListener("click", () => {
    find("try-front-door").value = door.name;
    proposeSample();
    find("try").scrollIntoView({ behavior: "smooth" });
    find("try-send").focus({ preventScroll: true });
  });
  const card = make("li", { className: "card" },
    make("h3", {}, door.name, tag(door.architecture), ...(door.stage ? [tag(`stage ${door.stage}`)] : []), tryIt),
    field("URL", door.url, "the URL"), ...headers, field("curl", door.curl, "the command", true));
  card.dataset.frontDoor = door.name;
  return card;
}

// Try it

function proposeSample() {
  const door = frontDoors.find(({ name }) => name === find("try-front-door").value);
  if (!door) return;
  const hasBody = door.sample.body !== null;
  find("try-method").value = door.sample.method;
  find("try-path").value = door.sample.path;
  find("try-body").value = hasBody ? door.sample.body : "";
  find("try-headers").value = hasBody ? "content-type: application/json" : "";
}

function typedHeaders() {
  const lines = find("try-headers").value.split("\n").filter((line) => line.trim());
  return Object.fromEntries(lines.map((line) => {
    const colon = line.indexOf(":");
    if (colon < 1) throw new Error(`"${line}" is no header: write name: value`);
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
  }));
}

async function send(event) {
  event.preventDefault();
  const button = find("try-send");
  button.disabled = true;
  try {
    const trial = {
      front_door: find("try-front-door").value,
      method: find("try-method").value,
      path: find("try-path").value,
      headers: typedHeaders(),
      body: find("try-body").value,
    };
    const answer = await fetch("/_local/try", {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(trial),
    });
    const result = await answer.json();
    if (!answer.ok) throw new Error(result.message);
    showAnswer(String(result.status), statusKind(result.status), `${result.milliseconds.toFixed(1)} ms`,
      result.headers.map(([name, value]) => `${name}: ${value}`).join("\n"), readable(result));
  } catch (error) {
    showAnswer("no answer", "bad", "", "", error.message);
  } finally {
    button.disabled = false;
  }
}

function showAnswer(status, kind, duration, headers, body) {
  find("try-nothing").hidden = true;
  find("try-result").hidden = false;
  Object.assign(find("try-status"), { textContent: status, className: `pill ${kind}` });
  find("try-duration").textContent = duration;
  find("try-answer-headers").textContent = headers;
  find("try-answer-headers-details").hidden = !headers;
  find("try-answer-body").textContent = body;
}

/** JSON with line breaks; anything else as it is. */
function readable({ headers, body }) {
  const type = headers.find(([name]) => name === "content-type");
  if (type && type[1].includes("json")) {
    try {
      return JSON.stringify(JSON.parse(body), null, 2);
    } catch {
      return body;
    }
  }
  return body;
}

// Requests

let chosen = null;
let waiting = [];

/** Requests are put into the list at most once for each picture that the browser draws. */
function addRequest(record) {
  if (waiting.push(record) === 1) requestAnimationFrame(putRequests);
}

/** Rows that are there stay as they are: one of them may have the focus. */
function putRequests() {
  const list = find("requests-list");
  const shown = new Set([...list.children].map((row) => row.dataset.request));
  for (const record of waiting) {
    // After a broken connection the latest come again.
    if (shown.has(record.id)) continue;
    shown.add(record.id);
    list.prepend(requestRow(record));
  }
  waiting = [];
  while (list.children.length > REQUESTS_SHOWN) list.lastChild.remove();
  filterRequests();
}

function filterRequests() {
  const filter = find("requests-filter").value.toLowerCase();
  const rows = [...find("requests-list").children];
  for (const row of rows) row.hidden = !row.dataset.text.includes(filter);
  find("no-requests").hidden = rows.some((row) => !row.hidden);
}

function requestRow(record) {
  const open = make("button", { type: "button", textContent: `${record.method} ${record.path}` });
  const row = make("tr", { className: record.id === chosen ? "chosen" : "" },
    make("td", { className: "time", textContent: new Date(record.at).toLocaleTimeString() }),
    make("td", { className: "front-door", textContent: record.front_door }),
    make("td", {}, open),
    make("td", {}, pill(record.status, statusKind(record.status))),
    make("td", { className: "number", textContent: (record.microseconds / 1000).toFixed(1) }));
  row.dataset.request = record.id;
  row.dataset.text = `${record.front_door} ${record.method} ${record.path} ${record.status}`.toLowerCase();
  open.setAttribute("aria-expanded", record.id === chosen);
  open.setAttribute("aria-controls", "steps");
  row.addEventListener("click", () => {
    chosen = record.id;
    showSteps(record);
    for (const other of find("requests-list").children) {
      const isChosen = other === row;
      other.classList.toggle("chosen", isChosen);
      other.querySelector("button").setAttribute("aria-expanded", isChosen);
    }
  });
  return row;
}

function showSteps(record) {
  find("steps-title").textContent = `${record.method} ${record.path}, step by step`;
  find("no-steps").hidden = record.steps !== null;
  find("no-steps").textContent = "A load balancer does not say what it did: only API Gateway keeps an execution log.";
  const text = find("steps-text");
  text.hidden = record.steps === null;
  text.replaceChildren(...(record.steps ?? "").trimEnd().split("\n").map(stepLine));
  text.scrollTop = 0;
}

// The time before each line of an execution log; the row in the list says it already.
const LINE_TIME = /^\w{3} \w{3} \d\d \d\d:\d\d:\d\d UTC \d{4} : /;
const COMPLETED = /^Method completed with status: (\d)/;

function stepLine(line) {
  const text = line.replace(LINE_TIME, "");
  const completed = COMPLETED.exec(text);
  const isBad = completed ? completed[1] > 3 : /\b(denied|denies|refused|blocks|failed|fails|invalid|exceeded|error)\b/i.test(text);
  const isGood = completed ? completed[1] < 4 : /\b(succeeded|successfully|authorized|allows)\b/i.test(text);
  const kind = isBad ? "step step-bad" : isGood ? "step step-good" : "step";
  return make("span", { className: completed ? `${kind} step-last` : kind, textContent: `${text}\n` });
}

// Functions

const milliseconds = (value) => (value === null || value === undefined ? "" : value.toFixed(1));

let shownFunctions = "";

function showFunctions({ functions = [] }) {
  if (JSON.stringify(functions) === shownFunctions) return;
  shownFunctions = JSON.stringify(functions);
  const open = new Set([...document.querySelectorAll(".function details[open]")].map((details) => details.dataset.of));
  fill("functions-list", functions.map((one) => functionPart(one, open)), "no-functions");
}

function functionPart(one, open) {
  const cold = one.invocations.filter(({ init_ms }) => init_ms !== null);
  const failed = one.invocations.filter(({ status }) => status !== "success");
  const longest = Math.max(1, ...one.invocations.map(({ duration_ms, init_ms }) => duration_ms + (init_ms ?? 0)));
  const bars = one.invocations.slice(-BARS_SHOWN).map(({ duration_ms, init_ms, status }) => {
    const bar = make("li", { className: status === "success" ? "bar" : "bar failed" });
    bar.title = `${milliseconds(duration_ms)} ms${init_ms === null ? "" : `, after ${milliseconds(init_ms)} ms of start`}`;
    if (init_ms !== null) bar.append(make("i", { className: "init" }));
    bar.append(make("i"));
    const parts = [...bar.children];
    // By the style object: a style attribute would be refused by the page's own policy.
    if (init_ms !== null) parts[0].style.height = `${100 * init_ms / longest}%`;
    parts.at(-1).style.height = `${100 * duration_ms / longest}%`;
    return bar;
  });
  const rows = one.invocations.toReversed().map((invocation) => make("tr", {},
    make("td", { className: "time", textContent: new Date(invocation.ended).toLocaleTimeString() }),
    make("td", {}, pill(invocation.status, invocation.status === "success" ? "good" : "bad")),
    ...[invocation.duration_ms, invocation.init_ms].map((value) =>
      make("td", { className: "number", textContent: milliseconds(value) })),
    ...[invocation.billed_ms, invocation.max_memory_mb].map((value) =>
      make("td", { className: "number", textContent: value }))));
  const head = ["Time", "Result", "Duration ms", "Start ms", "Billed ms", "Memory MB"].map((text, index) =>
    make("th", { scope: "col", className: index > 1 ? "number" : "", textContent: text }));
  const details = make("details", { open: open.has(`${one.name}:${one.version}`) },
    make("summary", { textContent: `${one.invocations.length} REPORT lines` }),
    make("div", { className: "scroll" }, make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows))));
  details.dataset.of = `${one.name}:${one.version}`;
  const processes = `${one.processes} ${one.processes === 1 ? "process" : "processes"}`;
  const list = make("ul", { className: "bars" }, ...bars);
  list.setAttribute("aria-label", "Durations of the latest invocations");
  return make("article", { className: "function" },
    make("h3", {}, one.name, tag(`version ${one.version}`), tag(processes), ...(failed.length ? [pill(`${failed.length} failed`, "bad")] : [])),
    list,
    make("p", { className: "legend" }, `${one.invocations.length} invocations, `,
      make("b", { textContent: `${cold.length} cold ${cold.length === 1 ? "start" : "starts"}` }), `; the highest bar is ${milliseconds(longest)} ms`),
    details);
}

// Containers

const TARGET_KINDS = { healthy: "good", initial: "warn", draining: "warn", unused: "", unhealthy: "bad" };
const TASK_KINDS = { RUNNING: "good", STOPPED: "" };

let shownContainers = "";

function showContainers({ load_balancers = [], target_groups = [], services = [], deployments = [] }) {
  const now = JSON.stringify([load_balancers, target_groups, services, deployments]);
  if (now === shownContainers) return;
  shownContainers = now;
  const groups = target_groups.length ? [targetGroupsPart(target_groups)] : [];
  const parts = [...deployments.map(deploymentPart), ...load_balancers.map(loadBalancerPart), ...groups, ...services.map(servicePart)];
  fill("containers-list", parts, "no-containers");
}

function rows(entries) {
  return make("table", {}, make("tbody", {}, ...entries.map((cells) =>
    make("tr", {}, ...cells.map((cell) => make("td", {}, cell))))));
}

const colourOf = (name) => (/blue/i.test(name) ? " blue" : /green/i.test(name) ? " green" : "");

function loadBalancerPart(balancer) {
  return make("article", { className: "part" },
    make("h3", {}, balancer.name, tag("load balancer")),
    rows(balancer.listeners.map((listener) => [make("code", { textContent: listener })])));
}

function targetGroupsPart(groups) {
  const card = (group) => make("div", { className: `card${colourOf(group.name)}` },
    make("h3", {}, group.name, ...group.listeners.map((listener) => tag(`from ${listener}`))),
    group.targets.length
      ? rows(group.targets.map(({ address, state, reason }) =>
        [make("code", { textContent: address }), pill(state, TARGET_KINDS[state] ?? ""), reason ?? ""]))
      : make("p", { className: "empty", textContent: "No targets." }));
  return make("article", { className: "part" },
    make("h3", {}, "Target groups"), make("div", { className: "lane" }, ...groups.map(card)));
}

function servicePart(service) {
  return make("article", { className: "part" },
    make("h3", {}, service.name, tag("service"), tag(`${service.running} of ${service.desired} run`)),
    service.tasks.length
      ? rows(service.tasks.map(({ id, task_definition, status, address, reason }) =>
        [make("code", { textContent: id }), task_definition, pill(status, TASK_KINDS[status] ?? "warn"), make("code", { textContent: address ?? "" }), reason ?? ""]))
      : make("p", { className: "empty", textContent: "No tasks." }));
}

function deploymentPart(deployment) {
  const kind = { Succeeded: "good", Failed: "bad", Stopped: "bad" }[deployment.status] ?? "warn";
  const kinds = { Succeeded: "good", Failed: "bad", InProgress: "warn" };
  return make("article", { className: "part" },
    make("h3", {}, deployment.id, tag("deployment"), pill(deployment.status, kind), ...(deployment.message ? [deployment.message] : [])),
    make("p", { className: "events" }, ...deployment.events.map(({ name, status }) => pill(`${name}: ${status}`, kinds[status] ?? ""))));
}

// What arrives

function showState(state) {
  Object.assign(find("status"), state.ready
    ? { textContent: "ready", className: "pill good" }
    : { textContent: "starting", className: "pill warn" });
  find("where").textContent = `APIs and functions at ${state.gateway}, the account at ${state.control_plane}`;
  showFrontDoors(state);
  showFunctions(state);
  showContainers(state);
}

find("try-form").addEventListener("submit", send);
find("try-front-door").addEventListener("change", proposeSample);
find("requests-filter").addEventListener("input", filterRequests);
find("requests-clear").addEventListener("click", () => {
  find("requests-list").replaceChildren();
  filterRequests();
});

const events = new EventSource("/_local/requests");
events.addEventListener("state", ({ data }) => showState(JSON.parse(data)));
events.addEventListener("request", ({ data }) => addRequest(JSON.parse(data)));
events.addEventListener("error", () => {
  Object.assign(find("status"), { textContent: "the data plane does not answer", className: "pill bad" });
});
