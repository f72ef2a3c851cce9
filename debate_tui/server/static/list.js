// The list of debates.

import { element, oneLine } from "./text.js";
import { themes } from "./theme.js";

const $ = (id) => document.getElementById(id);
const times = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const STATES = { running: "▸ running", complete: "✓ complete", stopped: "■ stopped", failed: "✗ failed" };

themes($("theme"));

let pages = 1;

async function show() {
  const words = $("words").value.trim();
  const debates = [];
  let next = "";
  for (let page = 0; page < pages && next !== null; page++) {
    const query = new URLSearchParams({ ...(words && { words }), ...(next && { after: next }) });
    const answer = await fetch(`/debates?${query}`, { headers: { accept: "application/json" } });
    if (!answer.ok) return;
    const listed = await answer.json();
    debates.push(...listed.debates);
    next = listed.next ?? null;
  }
  $("count").textContent = `${debates.length}${next === null ? "" : "+"}`;
  $("none").hidden = debates.length > 0 || words !== "";
  $("missed").hidden = debates.length > 0 || words === "";
  $("more").hidden = next === null;
  $("debates").replaceChildren(...debates.map(entry));
}

function entry(debate) {
  const line = element("li");
  const link = element("a");
  link.href = `/debates/${encodeURIComponent(debate.debate)}`;
  const state = element("span", "chip", debate.live ? "● live" : STATES[debate.state] ?? debate.state);
  state.dataset.state = debate.live ? "live" : debate.state;
  const who = element("p", "who");
  debate.debaters.forEach((debater, place) => {
    who.append(element("span", `pane-${place + 1}`, oneLine(debater.name, 40)));
  });
  const facts = [oneLine(debate.format, 30), times.format(new Date(1000 * debate.started))].join(" · ");
  link.append(state, element("h2", "", oneLine(debate.topic, 200)), who, element("p", "facts", facts));
  line.append(link);
  return line;
}

let typing;
$("words").addEventListener("input", () => {
  clearTimeout(typing);
  pages = 1;
  typing = setTimeout(show, 200);
});
$("more").addEventListener("click", () => {
  pages++;
  show();
});
setInterval(() => document.hidden || show(), 5000);
show();
