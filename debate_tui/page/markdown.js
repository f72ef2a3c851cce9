// Streaming Markdown as elements and text nodes: nothing is ever parsed as HTML.
// Complete blocks stay as they are; only the last one is rebuilt.

import { element, FOUND, sanitise } from "./text.js";

// Maximum nesting of quotes, lists and emphasis; deeper ones stay text.
const DEEPEST = 20;

// Maximum characters of a block that is parsed: longer ones are shown literally.
const LONGEST = 10_000;
// Literal text is split into paragraphs of this length, so that the browser lays out only the last one.
const LITERAL = 4000;
// Complete blocks are parsed in steps of about this many characters; between them the deadline is checked.
const STEP = 4000;
// Maximum length of an escape sequence: text is not cut within one.
const LONGEST_SEQUENCE = 2100;

const FENCE = /^ {0,3}(```+|~~~+)/;
const LIST = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const RULE = /^ {0,3}([-*_])( *\1){2,} *$/;
const TABLE_RULE = /^ *\|?( *:?-+:? *\|)+ *:?-*:? *$/;
const LINK = /\[([^\]]{1,300})\]\(([^()\s]{1,2000})\)/y;
const LINE_BREAK = /<br *\/?>/iy;
const PUNCTUATION = /[!-/:-@[-`{-~]/;
// A formula in LaTeX stays as written. None contains the start of another: each character is read once.
const FORMULA = /\\\((?:[^\\]|\\[^()])*\\\)|\\\[(?:[^\\]|\\[^[\]])*\\\]|\$\$(?:[^\\$]|\\[^]|\$(?!\$))*\$\$/y;
// Maximum characters of a formula on lines of its own.
const LONGEST_FORMULA = 4000;
// Maximum characters of a span: a closing mark further away is not found.
const REACH = 2000;

export class Prose {
  constructor(parent) {
    this.parent = parent;
    this.reset();
  }

  reset() {
    this.parent.replaceChildren();
    this.settled = this.cut = this.at = this.parsed = 0;
    this.fence = "";
    this.open = [];
    this.tail = [];
    this.shown = "";
    this.whole = true;
  }

  // Shows as much of the text as can be parsed before `deadline`; returns whether that was all. Text that is
  // `finished` is parsed to its end. Only `marked` text has marks after quotes; elsewhere they are its author's own.
  show(text, deadline = Infinity, { finished = false, marked = false } = {}) {
    if (text === this.shown && this.whole && !(finished && this.tail.length)) return true;
    if (!text.startsWith(this.shown)) this.reset();
    this.shown = text;
    for (let cut; (cut = this.boundary(text)) > this.settled;) {
      this.replaceOpen(parse(text.slice(this.settled, cut), marked));
      this.open = [];
      this.settled = cut;
      this.parsed = 0;
      this.whole = cut === text.length;
      if (performance.now() > deadline) return this.whole;
    }
    const open = text.slice(this.settled);
    if (open.length <= LONGEST || open.length >= 2 * this.parsed || finished) {
      this.parsed = open.length <= LONGEST || finished ? open.length : safeEnd(open);
      this.replaceOpen(parse(open.slice(0, this.parsed), marked));
    }
    this.showTail(sanitise(open.slice(this.parsed)));
    this.whole = true;
    return true;
  }

  // Advances to an empty line outside a fence: the text before it will not change.
  boundary(text) {
    while (this.at < text.length && this.cut - this.settled < STEP) {
      const end = text.indexOf("\n", this.at);
      if (end < 0) break;
      const line = text.slice(this.at, Math.min(end, this.at + LONGEST));
      const marks = FENCE.exec(line)?.[1];
      if (marks && !this.fence) this.fence = marks;
      else if (marks && marks[0] === this.fence[0] && marks.length >= this.fence.length) this.fence = "";
      this.at = end + 1;
      if (!this.fence && !line.trim()) this.cut = this.at;
    }
    return this.cut;
  }

  replaceOpen(nodes) {
    for (const node of this.open.concat(this.tail)) node.remove();
    this.open = nodes;
    this.tail = [];
    within(this.parent, nodes);
  }

  showTail(text) {
    const pieces = literalPieces(text);
    pieces.forEach((piece, place) => {
      const node = this.tail[place] ??= this.parent.appendChild(element("p", "literal"));
      if (node.textContent !== piece) node.textContent = piece;
    });
    for (const node of this.tail.splice(pieces.length)) node.remove();
  }
}

function parse(text, marked) {
  const nodes = blocks(sanitise(text));
  if (marked && /[\ufdd0\ufdd1]/.test(text)) nodes.forEach(showMarks);
  return nodes;
}

// Replaces the marks after quotes in a node with elements.
function showMarks(node) {
  const texts = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    const at = text.data.search(/[\ufdd0\ufdd1]/);
    if (at < 0) continue;
    const rest = text.splitText(at); // visited next
    const found = rest.data[0] === FOUND;
    rest.deleteData(0, 1);
    const mark = element("span", found ? "quote found" : "quote missing", found ? "✓" : "✗");
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", mark.title = found ? "quote found" : "quote not found");
    rest.before(mark);
    texts.currentNode = mark.firstChild;
  }
}

// Returns where text can be cut without cutting an escape sequence.
function safeEnd(text) {
  const from = Math.max(0, text.length - LONGEST_SEQUENCE);
  const found = text.slice(from).search(/[\x1b\x80-\x9f]/);
  return found < 0 ? text.length : from + found;
}

function literalPieces(text) {
  const pieces = [];
  for (let at = 0; at < text.length;) {
    let end = at + LITERAL;
    if (end < text.length) {
      const space = Math.max(text.lastIndexOf("\n", end), text.lastIndexOf(" ", end));
      if (space > at + LITERAL / 2) end = space + 1;
      else if (isLowSurrogate(text, end)) end++;
    }
    pieces.push(text.slice(at, end));
    at = end;
  }
  return pieces;
}

function isLowSurrogate(text, at) {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00;
}

function blocks(text, depth = 0) {
  const lines = text.split("\n");
  const made = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    const fence = FENCE.exec(line);
    const closer = formulaCloser(line);
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
    } else if (closer !== null) {
      let text = line.trim();
      for (let open = closer; open && lines[at + 1]?.trim() && text.length < LONGEST_FORMULA;) {
        text += `\n${lines[++at].trim()}`;
        if (lines[at].includes(open)) open = "";
      }
      at++;
      made.push(element("p", "", text));
    } else if (/^ {0,3}#{1,6}\s/.test(line)) {
      made.push(...leaf("h4", heading(line)));
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
      made.push(...leaf("p", body.join("\n")));
    }
  }
  return made;
}

// Makes a paragraph or heading; if the text is too long, several literal paragraphs.
function leaf(name, text) {
  if (text.length <= LONGEST) return [inline(element(name), text)];
  return literalPieces(text).map((piece) => element("p", "literal", piece));
}

function heading(line) {
  const text = line.replace(/^ *#+\s+/, "").trimEnd();
  let end = text.length;
  while (text[end - 1] === "#") end--;
  return /\s/.test(text[end - 1] ?? "") ? text.slice(0, end).trimEnd() : text;
}

// Append one by one: a single call could have too many arguments.
function within(parent, nodes) {
  for (const node of nodes) parent.append(node);
  return parent;
}

function starts(line) {
  if (FENCE.test(line) || /^ {0,3}(#{1,6}\s|>)/.test(line) || formulaCloser(line) !== null) return true;
  return LIST.test(line) && !/^\s*\d/.test(line);
}

// Returns what closes the formula that starts with a line, "" if the line does, or null if none starts with it.
function formulaCloser(line) {
  if (!/^ {0,3}(\\\[|\$\$(?!\$))/.test(line) || line.length > LONGEST_FORMULA) return null;
  const text = line.trim();
  if (/^\\\[(?:[^\\[\]]|\\[^[\]])*\]/.test(text)) return null; // such as \[x]
  const end = formulaEnd(text, 0);
  if (end) return /^[\s.,;:]*$/.test(text.slice(end)) ? "" : null;
  if (text[0] !== "$") return "\\]";
  return text.includes("$$", 2) ? null : "$$";
}

function formulaEnd(text, at) {
  FORMULA.lastIndex = at;
  const found = FORMULA.exec(text);
  return found && /[\p{L}\p{N}_]/u.test(found[0]) ? FORMULA.lastIndex : 0;
}

function list(lines) {
  const stack = [];
  let item = null, text = "", closer = null;
  for (const line of lines) {
    const found = closer ? null : LIST.exec(line);
    if (!found) {
      text += `\n${line.trim()}`;
      if (!closer) closer = formulaCloser(line.trim());
      else if (line.includes(closer)) closer = null;
      continue;
    }
    if (item) inline(item, text);
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
    text = found[3];
    closer = formulaCloser(text);
    stack.at(-1).list.append(item);
  }
  inline(item, text);
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

// Emphasis, code, formulas and links. Possible ends of each kind are found once, so that the cost is linear.
function inline(parent, text, depth = 0) {
  if (text.length > LONGEST || depth >= DEEPEST) {
    parent.append(text);
    return parent;
  }
  const ends = endsOf(text);
  let written = 0;
  for (let at = nextMark(text, 0); at < text.length;) {
    const found = spanAt(text, at, ends);
    if (found) {
      const { name, label, address, inner, end } = found;
      if (written < at) parent.append(text.slice(written, at));
      if (name === "a") parent.append(link(label, address, depth + 1));
      else if (name === "code") parent.append(element("code", "", inner));
      else if (name === "br") parent.append(element("br"));
      else if (name === "text") parent.append(inner);
      else parent.append(inline(element(name), inner, depth + 1));
      written = end;
      at = nextMark(text, end);
    } else {
      let run = at + 1;
      if (text[at] === "`") while (text[run] === "`") run++;
      at = nextMark(text, run);
    }
  }
  if (written < text.length) parent.append(text.slice(written));
  return parent;
}

const MARK = /[`*_~[\\$<]/g;

function nextMark(text, from) {
  MARK.lastIndex = from;
  return MARK.exec(text)?.index ?? text.length;
}

// Returns where each mark may end a span, not after a space, and the spans that are shown without markup.
function endsOf(text) {
  const ends = { "**": [], "__": [], "~~": [], "*": [], _: [], verbatim: new Map() };
  const ticks = {};
  for (const found of text.matchAll(/`+/g)) (ticks[found[0].length] ??= []).push(found.index);
  for (let at = nextMark(text, 0), next; at < text.length; at = nextMark(text, next)) {
    const mark = text[at];
    next = at + 1;
    if (mark === "`" || mark === "\\" || mark === "$") {
      const span = mark === "`" ? codeAt(text, at, ticks) : literalAt(text, at);
      if (span.name) ends.verbatim.set(at, span);
      next = span.end;
    } else if (mark !== "[" && mark !== "<") {
      if (mark !== "~") ends[mark].push(at);
      if (text[at + 1] === mark && /\S/.test(text[at - 1] ?? " ")) ends[mark + mark].push(at);
    }
  }
  return ends;
}

function codeAt(text, at, ticks) {
  let run = at;
  while (text[run] === "`") run++;
  const end = endFrom(ticks[run - at], run);
  return end < 0 ? { end: run } : { name: "code", inner: text.slice(run, end), end: end + run - at };
}

// Returns a formula, or the character that a backslash escapes.
function literalAt(text, at) {
  const end = formulaEnd(text, at);
  if (end) return { name: "text", inner: text.slice(at, end), end };
  if (text[at] !== "\\" || !PUNCTUATION.test(text[at + 1] ?? "")) return { end: at + 1 };
  return { name: "text", inner: text[at + 1], end: at + 2 };
}

// Returns the first of these positions at or after `from`, within reach.
function endFrom(places, from) {
  let low = 0, high = places.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (places[middle] < from) low = middle + 1;
    else high = middle;
  }
  return low < places.length && places[low] - from <= REACH ? places[low] : -1;
}

function spanAt(text, at, ends) {
  const mark = text[at];
  if (mark === "[") {
    LINK.lastIndex = at;
    const found = LINK.exec(text);
    return found && { name: "a", label: found[1], address: found[2], end: LINK.lastIndex };
  }
  if (mark === "<") {
    LINE_BREAK.lastIndex = at;
    return LINE_BREAK.test(text) ? { name: "br", end: LINE_BREAK.lastIndex } : null;
  }
  if (mark === "`" || mark === "\\" || mark === "$") return ends.verbatim.get(at) ?? null;
  if (text[at + 1] === mark) {
    if (!/\S/.test(text[at + 2] ?? " ")) return null;
    const end = endFrom(ends[mark + mark], at + 3);
    return end < 0 ? null : { name: mark === "~" ? "s" : "strong", inner: text.slice(at + 2, end), end: end + 2 };
  }
  const isWord = (place) => /\w/.test(text[place] ?? " ");
  if (mark === "~" || !/\S/.test(text[at + 1] ?? " ") || (mark === "_" && isWord(at - 1))) return null;
  const end = endFrom(ends[mark], at + 1);
  if (end < at + 2 || /\s/.test(text[end - 1]) || (mark === "_" && isWord(end + 1))) return null;
  return { name: "em", inner: text.slice(at + 1, end), end: end + 1 };
}

function link(label, address, depth) {
  return inline(linkTo(address), label, depth);
}

// Makes a link to the web, or a plain element for any other address.
export function linkTo(address) {
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) return element("span");
  const made = element("a");
  made.href = address;
  made.rel = "noopener noreferrer nofollow";
  made.target = "_blank";
  made.title = address;
  return made;
}
