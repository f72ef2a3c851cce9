// The page of a debate.

import { Material } from "./material.js";
import { Stream } from "./stream.js";
import { element, oneLine } from "./text.js";
import { themes } from "./theme.js";
import { DebateView } from "./view.js";

const $ = (id) => document.getElementById(id);
const address = location.pathname.replace(/\/+$/, "");
const material = new Material($("material"), async (number) => (await request(`material/${number}`)).text);
const view = new DebateView(document, () => {
  document.title = $("topic").textContent;
  if ($("line").dataset.line === "live") $("line").textContent = debate.finished ? "recorded" : "live";
  $("pause").textContent = debate.paused ? "Resume" : "Pause";
  material.show(debate.material);
  poll();
});
const { debate, painter, panes } = view;

themes($("theme"));

const stream = new Stream(`${address}/events`, {
  onEvent(type, event) {
    if (type === "snapshot") {
      debate.load(event);
      view.show();
    } else if (type !== "reset" && type !== "goodbye") {
      view.apply(event);
      if (type === "turn.finished") poll();
    }
  },
  onState(state) {
    const words = {
      live: debate.finished ? "recorded" : "live", over: "stream ended", reconnecting: "reconnecting",
      offline: "offline", locked: "access denied", gone: "not found",
    };
    $("line").textContent = words[state];
    $("line").dataset.line = state;
    if (state === "over") painter.flush();
  },
  isFinished: () => Boolean(debate.finished),
});

// The vote

const voted = JSON.parse(sessionStorage.getItem(`${address} votes`) ?? "{}");
let chosen;

function poll() {
  const when = debate.heard ? "after" : "before";
  const counts = debate.votes[when] ?? {};
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const open = !debate.finished && debate.live && !(when in voted);
  $("poll").hidden = !panes.size || (!open && !total);
  $("question").textContent = open ? { before: "Before it starts: who do you agree with?", after: "Who do you agree with now?" }[when]
    : when in voted && !debate.finished ? "You have voted." : "Votes";
  const choices = votingChoices(), offered = open ? choices.filter(isOffered) : [];
  if (!offered.some(({ keys }) => keys[0] === chosen)) chosen = undefined;
  $("choices").replaceChildren(...offered.map(choice));
  if (open && chosen !== undefined) $("choices").append(element("button", "cast", "Vote"));
  $("tally").replaceChildren(...(total && !open ? ["before", "after"].map((each) => tally(each, choices)).filter(Boolean) : []));
}

// What to vote for: sides if the debaters argue for different ones, else debaters, and undecided. `keys` are what its votes
// are counted under, `debater` is the one whose colour it has.
function votingChoices() {
  const debaters = [...debate.debaters.values()];
  const sides = new Set(debaters.map(({ side }) => side));
  const choices = sides.size > 1 && !sides.has("")
    ? [...sides].map((side) => {
        const ids = debaters.filter((each) => each.side === side).map(({ id }) => id);
        return { label: side, side, debater: ids[0], keys: [side, ...ids] };
      })
    : debaters.map(({ id, name }) => ({ label: name, debater: id, keys: [id] }));
  return [...choices, { label: "undecided", debater: "", keys: [""] }];
}

// Leaves out debaters who left unheard; votes for them still count.
function isOffered({ side, debater }) {
  return side || !debater || debate.isHeard(debater);
}

function choice({ label, debater, keys: [key] }) {
  const button = element("button", `choice pane-${view.place(debater)}`, oneLine(label, 24));
  button.type = "button";
  button.setAttribute("aria-pressed", chosen === key);
  button.addEventListener("click", () => { chosen = key; poll(); });
  return button;
}

function tally(when, choices) {
  const counts = debate.votes[when] ?? {};
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  if (!total) return null;
  const row = element("span", "bar-row");
  const bar = element("span", "votes");
  for (const { label, debater, keys } of choices) {
    const count = keys.reduce((sum, key) => sum + (counts[key] ?? 0), 0);
    if (!count) continue;
    const part = element("span", `part pane-${view.place(debater)}`, `${oneLine(label, 24)} ${count}`);
    part.style.flexGrow = count;
    bar.append(part);
  }
  row.append(element("small", "", when), bar);
  return row;
}

async function request(path, options = {}) {
  const answer = await fetch(`${address}/${path}`, options);
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error?.message ?? `HTTP ${answer.status}`);
  return body;
}

async function attempt(command) {
  try {
    await request("commands", {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(command),
    });
    return true;
  } catch (error) {
    const line = element("p", "complaint", oneLine(error.message, 200));
    $("notes").append(line);
    setTimeout(() => line.remove(), 6000);
    return false;
  }
}

$("poll").addEventListener("submit", async (event) => {
  event.preventDefault();
  const when = debate.heard ? "after" : "before";
  const { side, debater } = votingChoices().find(({ keys }) => keys[0] === chosen);
  if (!await attempt({ command: "vote", when, ...side ? { side } : { debater: debater || null } })) return;
  voted[when] = chosen;
  chosen = undefined;
  sessionStorage.setItem(`${address} votes`, JSON.stringify(voted));
  poll();
});

// For the host

async function whoami() {
  const { role } = await (await fetch("/me")).json();
  if (role !== "host") return;
  $("host").hidden = false;
  $("host").addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = $("remark").value.trim();
    if (text && await attempt({ command: "interject", text, to: $("to").value || null })) $("remark").value = "";
  });
  $("pause").addEventListener("click", () => attempt({ command: debate.paused ? "resume" : "pause" }));
  $("stop").addEventListener("click", () => confirm("End the debate?") && attempt({ command: "stop" }));
  $("to").addEventListener("focus", () => {
    const names = [["", "to everyone"], ...[...debate.debaters.values()].map((each) => [each.id, `to ${oneLine(each.name, 24)}`])];
    const kept = $("to").value;
    $("to").replaceChildren(...names.map(([id, name]) => Object.assign(element("option", "", name), { value: id })));
    $("to").value = kept;
  });
  $("to").append(Object.assign(element("option", "", "to everyone"), { value: "" }));
}

// Display mode, reasoning, keys

function setMode(mode) {
  painter.mode = mode;
  localStorage.setItem("debate-tui-mode", mode);
  for (const button of $("modes").children) {
    button.setAttribute("aria-checked", button.dataset.mode === mode);
    button.tabIndex = button.dataset.mode === mode ? 0 : -1;
  }
  painter.flush();
}

for (const button of $("modes").children) button.addEventListener("click", () => setMode(button.dataset.mode));
// One tab stop for all modes; arrow keys move between them, as between the buttons of a radio group.
$("modes").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const buttons = [...$("modes").children];
  const now = buttons.findIndex((button) => button.dataset.mode === painter.mode);
  const next = buttons[(now + step + buttons.length) % buttons.length];
  setMode(next.dataset.mode);
  next.focus();
});
$("reasoning").addEventListener("click", () => {
  view.reasoning = !view.reasoning;
  $("reasoning").setAttribute("aria-pressed", view.reasoning);
  for (const id of panes.keys()) view.mark(id);
});
document.addEventListener("keydown", (event) => {
  if (event.target.matches("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
  const modes = { 1: "synchronized", 2: "staggered", 3: "hybrid" };
  if (event.key in modes) setMode(modes[event.key]);
  else if (event.key === "m") setMode({ synchronized: "staggered", staggered: "hybrid", hybrid: "synchronized" }[painter.mode]);
  else if (event.key === "t") $("reasoning").click();
  else if (event.key === "c") material.toggle();
  else if (event.key === "G" || event.key === "End") for (const pane of panes.values()) pane.toEnd();
});
setInterval(() => {
  for (const [id, pane] of panes) if (pane.counting) view.mark(id);
}, 1000);

const remembered = localStorage.getItem("debate-tui-mode");
setMode(["synchronized", "staggered", "hybrid"].includes(remembered) ? remembered : "hybrid");
whoami();
stream.run();
