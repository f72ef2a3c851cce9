// Markdown as it streams, into elements and text nodes: nothing is ever parsed as HTML.
// Blocks that are complete stay as they are; only the last one is made anew.

import { element, sanitise } from "./text.js";

// Quotes and lists within each other; what would be deeper stays text.
const DEEPEST = 20;

const FENCE = /^ {0,3}(```+|~~~+)/;
const LIST = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const RULE = /^ {0,3}([-*_])( *\1){2,} *$/;
const TABLE_RULE = /^ *\|?( *:?-+:? *\|)+ *:?-*:? *$/;
// What has no end is looked for within so many characters: looking through all the rest for each would take for ever.
const INLINE = /(`+)([^`]|[^`][\s\S]{0,2000}?[^`])\1(?!`)|\*\*(?=\S)([\s\S]{0,2000}?\S)\*\*|__(?=\S)([\s\S]{0,2000}?\S)__|\*(?=\S)([^*]{0,2000}[^*\s])\*|(?<![\w])_(?=\S)([^_]{0,2000}[^_\s])_(?![\w])|~~(?=\S)([\s\S]{0,2000}?\S)~~|\[([^\]]{1,300})\]\(([^()\s]{1,2000})\)/;

export class Prose {
  constructor(parent) {
    this.parent = parent;
    this.reset();
  }

  reset() {
    this.parent.replaceChildren();
    this.settled = 0;
    this.open = [];
    this.shown = "";
  }

  show(text) {
    if (text === this.shown) return;
    if (!text.startsWith(this.shown)) this.reset();
    this.shown = text;
    const cut = lastBoundary(text, this.settled);
    if (cut > this.settled) {
      this.replaceOpen(blocks(sanitise(text.slice(this.settled, cut))));
      this.open = [];
      this.settled = cut;
    }
    this.replaceOpen(blocks(sanitise(text.slice(this.settled))));
  }

  replaceOpen(nodes) {
    for (const node of this.open) node.remove();
    this.open = nodes;
    within(this.parent, nodes);
  }
}

// Where the last empty line outside a fence ends: what comes before it will not change.
function lastBoundary(text, from) {
  let boundary = from, fence = "", at = from, listed = false;
  while (at < text.length) {
    const end = text.indexOf("\n", at);
    if (end < 0) break;
    const line = text.slice(at, end);
    const marks = FENCE.exec(line)?.[1];
    if (marks && !fence) fence = marks;
    else if (marks && marks[0] === fence[0] && marks.length >= fence.length) fence = "";
    if (!fence && !line.trim()) boundary = end + 1;
    at = end + 1;
  }
  return boundary;
}

function blocks(text, depth = 0) {
  const lines = text.split("\n");
  const made = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    const fence = FENCE.exec(line);
    if (!line.trim()) {
      at++;
    } else if (fence) {
      const body = [];
      at++;
      while (at < lines.length && !(lines[at].trim().startsWith(fence[1]) && !lines[at].trim().slice(fence[1].length).replaceAll(fence[1][0], ""))) body.push(lines[at++]);
      at++;
      const pre = element("pre");
      pre.append(element("code", "", body.join("\n")));
      made.push(pre);
    } else if (/^ {0,3}#{1,6}\s/.test(line)) {
      made.push(inline(element("h4"), line.replace(/^ *#+\s+/, "").replace(/\s+#+\s*$/, "")));
      at++;
    } else if (RULE.test(line)) {
      made.push(element("hr"));
      at++;
    } else if (depth < DEEPEST && /^ {0,3}>/.test(line)) {
      const body = [];
      while (at < lines.length && lines[at].trim()) body.push(lines[at++].replace(/^ {0,3}> ?/, ""));
      made.push(within(element("blockquote"), blocks(body.join("\n"), depth + 1)));
    } else if (LIST.test(line)) {
      const body = [];
      while (at < lines.length && lines[at].trim() && !FENCE.test(lines[at])) body.push(lines[at++]);
      made.push(list(body));
    } else if (line.includes("|") && TABLE_RULE.test(lines[at + 1] ?? "")) {
      const rows = [];
      while (at < lines.length && lines[at].includes("|")) rows.push(lines[at++]);
      made.push(table(rows));
    } else {
      const body = [];
      while (at < lines.length && lines[at].trim() && !(body.length && starts(lines[at]))) body.push(lines[at++]);
      made.push(inline(element("p"), body.join("\n")));
    }
  }
  return made;
}

// One by one: as arguments of a single call they could be too many.
function within(parent, nodes) {
  for (const node of nodes) parent.append(node);
  return parent;
}

function starts(line) {
  return FENCE.test(line) || /^ {0,3}(#{1,6}\s|>)/.test(line) || (LIST.test(line) && !/^\s*\d/.test(line));
}

function list(lines) {
  const stack = [];
  let item = null;
  for (const line of lines) {
    const found = LIST.exec(line);
    if (!found) {
      if (item) inline(item, ` ${line.trim()}`);
      continue;
    }
    const depth = found[1].length;
    while (stack.length > 1 && depth < stack.at(-1).depth) stack.pop();
    if (!stack.length || (stack.length < DEEPEST && depth > stack.at(-1).depth + 1)) {
      const ordered = /\d/.test(found[2]);
      const made = element(ordered ? "ol" : "ul");
      if (ordered) made.start = parseInt(found[2], 10);
      (item ?? { append() {} }).append(made);
      stack.push({ depth, list: made });
    }
    item = element("li");
    inline(item, found[3]);
    stack.at(-1).list.append(item);
  }
  return stack[0].list;
}

function table(rows) {
  const cells = (row) => row.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());
  const made = element("table");
  rows.forEach((row, number) => {
    if (number === 1) return;
    const line = element("tr");
    for (const cell of cells(row)) line.append(inline(element(number ? "td" : "th"), cell));
    made.append(line);
  });
  const frame = element("div", "table");
  frame.append(made);
  return frame;
}

function inline(parent, text) {
  let rest = text;
  for (let found; (found = INLINE.exec(rest));) {
    parent.append(rest.slice(0, found.index));
    const [whole, , code, strong1, strong2, em1, em2, struck, label, address] = found;
    if (code !== undefined) parent.append(element("code", "", code));
    else if (strong1 ?? strong2) parent.append(inline(element("strong"), strong1 ?? strong2));
    else if (em1 ?? em2) parent.append(inline(element("em"), em1 ?? em2));
    else if (struck) parent.append(inline(element("s"), struck));
    else parent.append(link(label, address));
    rest = rest.slice(found.index + whole.length);
  }
  parent.append(rest);
  return parent;
}

function link(label, address) {
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) return inline(element("span"), label);
  const made = inline(element("a"), label);
  made.href = address;
  made.rel = "noopener noreferrer nofollow";
  made.target = "_blank";
  made.title = address;
  return made;
}
