// The texts that all debaters were given: a list in which each text is read when it is first opened.

import { element, oneLine, sanitise } from "./text.js";

export class Material {
  // `read` returns a promise of the text with a number.
  constructor(node, read) {
    this.node = node;
    this.read = read;
    this.list = node.querySelector("div");
    this.shown = 0;
  }

  // `infos` are the texts' names and sizes, in the order of their numbers; none ever goes away.
  show(infos) {
    this.node.hidden = !infos.length;
    for (const info of infos.slice(this.shown)) this.list.append(this.entry(++this.shown, info));
  }

  toggle() {
    if (this.node.hidden) return;
    this.node.open = !this.node.open;
    if (this.node.open) this.node.querySelector("summary").focus();
  }

  entry(number, info) {
    const entry = element("details");
    entry.id = `material-${number}`;
    const size = `${info.characters.toLocaleString()} characters`;
    const text = element("pre");
    entry.append(element("summary", "", `[${number}] ${oneLine(info.name)} · ${size}`), text);
    entry.addEventListener("toggle", async () => {
      if (!entry.open || text.dataset.state) return;
      text.dataset.state = "loading";
      try {
        text.textContent = sanitise(await this.read(number));
      } catch (error) {
        text.textContent = `Cannot load this text: ${oneLine(error.message)}`;
        delete text.dataset.state;
      }
    });
    return entry;
  }
}
