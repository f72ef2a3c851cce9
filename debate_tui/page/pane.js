// A debater's pane: badge, turns and meter. It follows new text until the reader scrolls up.

import { linkTo, Prose } from "./markdown.js";
import { element, oneLine, sanitise, withMarks } from "./text.js";

const BADGES = {
  waiting: "· waiting", connecting: "… connecting", connected: "● connected", streaming: "▸ streaming",
  paused: "‖ paused", reconnecting: "↻ reconnecting", failed: "✗ failed", finished: "✓ done",
};
const NAMED_RETRIES = { rate_limited: "↻ rate limited", overloaded: "↻ overloaded" };
const ENDINGS = {
  length: "✂ cut", refused: "⊘ refused", stopped: "■ stopped", skipped: "» skipped", failed: "✗ failed",
};

export class Pane {
  constructor(debater, place) {
    this.debater = debater;
    this.turns = new Map();
    this.following = true;
    this.unread = 0;
    this.place = place;
    this.node = element("article", `pane pane-${place}`);
    this.node.id = `pane-${debater.id}`;
    this.node.tabIndex = 0;
    this.badge = element("span", "badge");
    this.names = element("h2");
    this.side = element("p", "side");
    const head = element("header");
    head.append(this.names, this.badge, this.side);
    this.body = element("div", "body");
    this.body.setAttribute("role", "log");
    this.more = element("button", "more");
    this.more.type = "button";
    this.more.hidden = true;
    this.meter = element("footer", "meter");
    this.node.append(head, this.body, this.more, this.meter);
    this.tab = element("button", `tab pane-${place}`);
    this.tab.type = "button";
    this.body.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.more.addEventListener("click", () => this.toEnd());
    this.tab.addEventListener("click", () => this.node.scrollIntoView({ inline: "start", block: "nearest" }));
    this.name(debater);
  }

  // `letter` is the one the debater had in a blind debate, once it is revealed.
  name(debater, letter) {
    this.debater = debater;
    this.names.textContent = oneLine(letter ? `${letter} → ${debater.name}` : debater.name, 60);
    this.body.setAttribute("aria-label", oneLine(debater.name, 60));
    this.side.textContent = oneLine([debater.side, debater.model].filter(Boolean).join(" · "), 120);
    this.tab.textContent = oneLine(debater.name, 20);
  }

  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.body;
    this.following = scrollHeight - scrollTop - clientHeight < 24;
    if (this.following) this.read();
  }

  toEnd() {
    this.following = true;
    this.body.scrollTop = this.body.scrollHeight;
    this.read();
  }

  read() {
    this.unread = 0;
    this.more.hidden = true;
  }

  // Shows the debater's current state; `whole` is whether all of its text is shown, or the rest needs another frame.
  paint(debate, { reasoning }, deadline = Infinity) {
    this.whole = true;
    this.name(debate.debaters.get(this.debater.id) ?? this.debater, debate.letters[this.debater.id]);
    const turns = debate.turnsOf(this.debater.id);
    for (const [number, shown] of this.turns) {
      if (!debate.turns.has(number)) {
        shown.node.remove();
        this.turns.delete(number);
      }
    }
    let grown = 0;
    for (const turn of turns) grown += this.paintTurn(turn, reasoning, deadline);
    this.paintBadge(debate);
    this.paintMeter(turns.at(-1));
    this.node.classList.toggle("removed", !debate.active.includes(this.debater.id));
    if (this.following) this.body.scrollTop = this.body.scrollHeight;
    else if (grown) {
      this.unread += grown;
      this.more.textContent = `↓ ${this.unread.toLocaleString()} new`;
      this.more.hidden = false;
    }
    return grown > 0;
  }

  paintTurn(turn, reasoning, deadline) {
    let shown = this.turns.get(turn.number);
    if (!shown) {
      shown = makeTurn(turn);
      this.turns.set(turn.number, shown);
      this.body.append(shown.node);
    }
    const before = shown.length;
    shown.length = turn.text.length;
    const finished = Boolean(turn.reason), marked = turn.quotes.length > 0;
    if (!shown.prose.show(markedText(shown, turn), deadline, { finished, marked })) this.whole = false;
    if (shown.cited !== turn.citations) showSources(shown, turn.citations);
    shown.thoughts.hidden = !reasoning || !turn.reasoning;
    if (!shown.thoughts.hidden && !shown.thinking.show(turn.reasoning, deadline, { finished })) this.whole = false;
    shown.node.classList.toggle("open", !turn.reason && turn.text !== "");
    const ending = turn.omitted ? "text omitted" : ENDINGS[turn.reason] ?? "";
    const seams = turn.seams.length ? `recovered ${turn.seams.length === 1 ? "once" : `${turn.seams.length} times`}` : "";
    shown.note.textContent = [ending, seams, turn.superseded ? "restarted" : ""].filter(Boolean).join(" · ");
    shown.node.dataset.reason = turn.reason ?? "";
    return Math.max(0, shown.length - before);
  }

  paintBadge(debate) {
    const status = debate.statuses.get(this.debater.id);
    const state = status?.state ?? "waiting";
    let text = BADGES[state] ?? state;
    const turn = debate.turnsOf(this.debater.id).at(-1);
    if (state === "finished" && turn?.reason && ENDINGS[turn.reason]) text = ENDINGS[turn.reason];
    if (state === "reconnecting") {
      text = NAMED_RETRIES[status.error?.kind] ?? text;
      if (status.max_retries) text += ` ${status.retry}/${status.max_retries}`;
      const left = Math.ceil(((status.retry_in_ms ?? 0) - (performance.now() - (status.received ?? 0))) / 1000);
      if (left > 0) text += ` · ${left}s`;
    }
    if (state === "failed" && status.error) text += `: ${oneLine(status.error.message, 60)}`;
    if (this.badge.textContent !== text) this.badge.textContent = text;
    this.badge.title = status?.error ? oneLine(status.error.message, 400) : "";
    this.badge.dataset.state = this.tab.dataset.state = state;
    this.counting = state === "reconnecting";
  }

  paintMeter(turn) {
    const facts = [];
    if (turn?.ttft != null) facts.push(`first token ${(turn.ttft / 1000).toFixed(1)} s`);
    const tokens = turn?.usage?.output_tokens;
    if (tokens != null) facts.push(`${tokens.toLocaleString()} tokens`);
    if (tokens && turn.duration > turn.ttft) facts.push(`${Math.round(1000 * tokens / (turn.duration - (turn.ttft ?? 0)))}/s`);
    if (!facts.length && turn?.text) facts.push(`${turn.length.toLocaleString()} characters`);
    const text = facts.join(" · ");
    if (this.meter.textContent !== text) this.meter.textContent = text;
  }
}

function makeTurn(turn) {
  const node = element("section", "turn");
  const title = turn.phase.replaceAll("-", " ");
  node.append(element("h3", "", oneLine(turn.round > 1 ? `${title} ${turn.round}` : title, 60)));
  const thoughts = element("details", "reasoning");
  const thinking = element("div", "prose");
  thoughts.append(element("summary", "", "Reasoning"), thinking);
  thoughts.open = true;
  const prose = element("div", "prose");
  const sources = element("ol", "sources");
  sources.hidden = true;
  const note = element("p", "note");
  node.append(thoughts, prose, sources, note);
  return { node, note, thoughts, sources, length: 0, prose: new Prose(prose), thinking: new Prose(thinking) };
}

// Returns the text with the marks of its quotes, which come when the turn ends.
function markedText(shown, turn) {
  if (!turn.quotes.length) return turn.text;
  if (shown.checked !== turn.quotes) Object.assign(shown, { checked: turn.quotes, marked: withMarks(turn.text, turn.quotes) });
  return shown.marked;
}

function showSources(shown, citations) {
  shown.cited = citations;
  shown.sources.hidden = !citations.length;
  shown.sources.replaceChildren(...citations.map(({ url, title }) => {
    const line = element("li");
    const made = linkTo(sanitise(url).replace(/\s/g, ""));
    made.textContent = oneLine(title ?? "") || made.title || "unknown source";
    line.append(made);
    return line;
  }));
}
