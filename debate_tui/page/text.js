// Make hostile text safe to show; the counterpart of the program's `sanitise`.

const SEQUENCE = /(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]?|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x00-\x08\x0a-\x1f\x7f-\x9f]{0,2048}(?:[\x07\x18\x1a\x9c]|(?=\x1b))|(?:\x1b[NO]|[\x8e\x8f])[!-~]?|\x1b[ -/]{0,8}[0-~]?/g;
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

export function sanitise(text) {
  return text.replace(SEQUENCE, "").replace(/[\u2028\u2029]/g, "\n").replace(CONTROL, "").toWellFormed();
}

export function oneLine(text, limit = 200) {
  const line = sanitise(text).split(/\s+/).join(" ").trim();
  return line.length <= limit ? line : `${line.slice(0, limit - 1)}…`;
}

// Offsets in the log count code points.
export function codePoints(text) {
  let count = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xd800 && unit < 0xdc00) {
      const next = text.charCodeAt(i + 1);
      if (next >= 0xdc00 && next < 0xe000) { count--; i++; }
    }
  }
  return count;
}

// Marks after checked quotes until text becomes nodes: noncharacters, which shown text has nowhere else.
export const FOUND = "\ufdd0", MISSING = "\ufdd1";

// Returns a text with a mark after each quote; their places count code points.
export function withMarks(text, quotes, marks = [FOUND, MISSING]) {
  if (!quotes.length) return text;
  const plain = text.replace(/[\ufdd0\ufdd1]/g, "\ufffd");
  let marked = "", from = 0, unit = 0, point = 0;
  for (const { end, found } of quotes.toSorted((one, other) => one.end - other.end)) {
    if (end <= point) continue;
    for (; point < end && unit < plain.length; point++) unit += plain.codePointAt(unit) > 0xffff ? 2 : 1;
    if (point < end) break;
    marked += plain.slice(from, unit) + marks[found ? 0 : 1];
    from = unit;
  }
  return marked + plain.slice(from);
}

export function element(name, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}
