// A debate on a page: its topic and state, report, panes and notes. The served page and the player in an exported page
// are built on it.

import { Debate } from "./fold.js";
import { Painter } from "./painter.js";
import { Pane } from "./pane.js";
import { reportNodes } from "./report.js";
import { element, oneLine, withMarks } from "./text.js";

const STATES = { complete: "✓ complete", stopped: "■ stopped", failed: "✗ failed", paused: "‖ paused" };
const ROSTER_CHANGES = { "debater.removed": "was removed", "debater.replaced": "was replaced", "debater.returned": "returned" };

export class DebateView {
  // `root` is the document or shadow root with the page's elements; `onShow` is called after all of them were updated.
  constructor(root, onShow = () => {}) {
    this.root = root;
    this.onShow = onShow;
    this.debate = new Debate();
    this.panes = new Map();
    this.reasoning = false;
    this.painter = new Painter((id, deadline) => {
      const pane = this.panes.get(id);
      if (pane?.paint(this.debate, this, deadline)) pane.tab.classList.toggle("unread", pane.visible === false);
      return pane?.whole;
    });
    this.seen = new IntersectionObserver((entries) => this.scrolled(entries), { threshold: 0.6 });
  }

  find(id) {
    return this.root.getElementById(id);
  }

  apply(event) {
    const changed = this.debate.apply(event);
    if (changed === null) this.show();
    else for (const id of changed) this.mark(id);
  }

  mark(id) {
    let streaming = 0;
    for (const { state } of this.debate.statuses.values()) streaming += state === "streaming" || state === "connected";
    this.painter.mark(id, streaming);
  }

  show() {
    for (const debater of this.debate.debaters.values()) if (!this.panes.has(debater.id)) this.addPane(debater);
    this.find("panes").dataset.count = this.panes.size;
    this.showHeader();
    this.showNotes();
    this.showReport();
    this.onShow();
    for (const id of this.panes.keys()) this.mark(id);
  }

  addPane(debater) {
    const pane = new Pane(debater, this.panes.size + 1);
    this.panes.set(debater.id, pane);
    this.find("panes").append(pane.node);
    this.find("tabs").append(pane.tab);
    this.seen.observe(pane.node);
  }

  scrolled(entries) {
    for (const { target, isIntersecting } of entries) {
      const pane = [...this.panes.values()].find((each) => each.node === target);
      pane.visible = isIntersecting;
      pane.tab.classList.toggle("shown", isIntersecting);
      if (isIntersecting) pane.tab.classList.remove("unread");
    }
  }

  showHeader() {
    const { phase, finished, paused } = this.debate;
    this.find("topic").textContent = oneLine(this.debate.topic, 300) || "…";
    this.find("phase").hidden = !phase || Boolean(finished);
    if (phase) this.find("phase").textContent = phaseTitle(phase);
    const state = finished ?? (paused ? "paused" : "");
    this.find("state").hidden = !state;
    this.find("state").textContent = STATES[state] ?? "";
    this.find("state").dataset.state = state;
  }

  showNotes() {
    const said = this.debate.notes.map(({ kind, event }) => {
      if (kind === "interjection") return [`❯ to ${this.name(event.to)}`, oneLine(event.text, 500)];
      return [`${this.name(event.debater)} ${ROSTER_CHANGES[kind]}`, oneLine(event.reason ?? "", 300)];
    });
    for (const verdict of this.debate.verdicts) {
      const winner = verdict.problem ? oneLine(verdict.problem, 200) : verdict.winner ? `for ${this.name(verdict.winner)}` : "tie";
      said.push([`⚖ ${oneLine(verdict.judge, 40)}: ${winner}`, oneLine(withMarks(verdict.why ?? "", verdict.quotes ?? [], ["✓", "✗"]), 500)]);
    }
    this.find("notes").replaceChildren(...said.slice(-6).map(([who, what]) => {
      const line = element("p");
      line.append(element("b", "", who), " ", what);
      return line;
    }));
  }

  showReport() {
    const { report } = this.debate;
    this.find("report").hidden = !report;
    if (!report || this.report === report) return;
    this.report = report;
    const label = (id) => {
      const { name = id, side = "" } = this.debate.debaters.get(id) ?? {};
      return oneLine(side ? `${name} (${side})` : name, 80);
    };
    this.find("points").replaceChildren(...reportNodes(report, label, (id) => this.place(id)));
  }

  name(id) {
    return oneLine(this.debate.debaters.get(id)?.name ?? id ?? "everyone", 40);
  }

  // The place of a debater's pane, from 1, which decides its colour; 0 if there is none.
  place(id) {
    return this.panes.get(id)?.place ?? 0;
  }
}

export function phaseTitle({ phase, round, rounds }) {
  const title = oneLine(phase.replaceAll("-", " "), 40);
  return title.charAt(0).toUpperCase() + title.slice(1) + (rounds > 1 ? ` ${round}/${rounds}` : "");
}
