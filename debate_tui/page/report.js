// The report on a debate; the counterpart of the program's `domain.report`.

import { element, oneLine } from "./text.js";

const POINT_LENGTH = 1000;

// Returns the report's headings and lists; `label` gives a debater's name and side, `place` its colour.
export function reportNodes(report, label, place) {
  const author = oneLine(report.judge, 200);
  if (report.problem) return [element("p", "", `No report from ${author}: ${oneLine(report.problem, 200)}.`)];
  const shown = (text) => oneLine(text, POINT_LENGTH);
  const about = (debater, ...texts) => {
    const item = element("li");
    if (debater) item.append(element("b", `pane-${place(debater)}`, label(debater)), ": ");
    item.append(texts.filter(Boolean).join(" "));
    return item;
  };
  const settled = ({ settled_by }) => settled_by ? `What would settle it: ${shown(settled_by)}` : "";
  const parts = [
    ["What they agree on", (report.agreed ?? []).map((text) => about("", shown(text)))],
    ["Where they differ", (report.differences ?? []).map((each) => about("", shown(each.point), settled(each)))],
    ["Who changed their mind", (report.changed_minds ?? []).map((each) => about(each.debater, shown(each.change)))],
    ["The strongest arguments", (report.strongest ?? []).map((each) => about(each.debater, shown(each.argument), quoted(each)))],
    ["What no one answered", (report.unanswered ?? []).map((text) => about("", shown(text)))],
  ];
  const nodes = [];
  for (const [title, items] of parts) {
    if (!items.length) continue;
    const list = element("ul");
    list.append(...items);
    nodes.push(element("h2", "", title), list);
  }
  return [element("p", "by", `Written by ${author}.`), ...nodes];
}

function quoted({ quote, found }) {
  if (!quote) return "(no quote)";
  return `“${oneLine(quote, POINT_LENGTH)}”${found ? "" : " (not found in the debate)"}`;
}
