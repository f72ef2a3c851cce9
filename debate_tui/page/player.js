// Plays the recording in an exported page, over its document: the counterpart of the program's replay.

import { codePoints, element } from "./text.js";
import { DebateView, phaseTitle } from "./view.js";

// Positions in a recording are tenths of a second.
const STEPS_PER_SECOND = 10;
const TICK_MS = 50;
const SKIP_S = 5;
const SPEEDS = [0.5, 1, 2, 4, 8, 16];
// Turns that start within this many seconds of each other are one stop for [ and ].
const SAME_START_S = 1;

// Makes events of a recording: each with its position in seconds, and deltas as in the log.
function readRecording(items) {
  const debaters = new Map(), lengths = new Map();
  return items.map(([step, what, text]) => {
    const at = step / STEPS_PER_SECOND;
    if (typeof what !== "number") {
      if (what.type === "turn.started") debaters.set(what.turn, what.debater);
      return { at, event: what };
    }
    const offset = lengths.get(what) ?? 0;
    lengths.set(what, offset + codePoints(text));
    return { at, event: { type: "turn.delta", turn: what, debater: debaters.get(what), attempt: 1, offset, text } };
  });
}

class Player {
  constructor(host, items) {
    this.host = host;
    this.view = new DebateView(host.shadowRoot);
    this.items = readRecording(items);
    this.length = this.items.at(-1).at;
    this.applied = 0; // number of items in the view
    this.anchor = 0; // position where playing started or stopped, in seconds
    this.playing = null; // time at which playing started, in milliseconds, or null
    this.speed = 1;
    const starts = this.items.filter(({ event }) => event.type === "turn.started").map(({ at }) => at);
    this.turnStarts = starts.reduce((kept, at) => kept.length && at - kept.at(-1) <= SAME_START_S ? kept : [...kept, at], []);
    this.makeControls();
    this.makeLanes();
    this.makePhases();
    host.hidden = false;
    document.documentElement.classList.add("plays");
    this.showPosition();
  }

  find(id) {
    return this.view.find(id);
  }

  makeControls() {
    const input = this.find("position");
    input.max = this.length;
    input.addEventListener("input", () => this.seek(Number(input.value)));
    this.find("play").addEventListener("click", () => this.toggle());
    this.find("close").addEventListener("click", () => this.close());
    const speed = this.find("speed");
    for (const each of SPEEDS) speed.append(Object.assign(element("option", "", `${each === 0.5 ? "½" : each}×`), { value: each }));
    speed.value = 1;
    speed.addEventListener("change", () => this.setSpeed(Number(speed.value)));
    document.addEventListener("keydown", (event) => this.pressed(event));
  }

  // Who speaks when: a line for each debater, with a bar for each turn.
  makeLanes() {
    const lanes = new Map(), open = new Map();
    const addBar = ({ debater, at }, end) => lanes.get(debater)?.append(this.spanning("span", at, end));
    for (const { at, event } of this.items) {
      if (event.type === "debate.started") for (const { id } of event.debaters) lanes.set(id, element("div", `lane pane-${lanes.size + 1}`));
      else if (event.type === "turn.started") open.set(event.turn, { debater: event.debater, at });
      else if (event.type === "turn.finished" && open.has(event.turn)) {
        addBar(open.get(event.turn), at);
        open.delete(event.turn);
      }
    }
    for (const turn of open.values()) addBar(turn, this.length);
    this.find("lanes").append(...lanes.values());
  }

  makePhases() {
    const started = this.items.filter(({ event }) => event.type === "phase.started");
    started.forEach(({ at, event }, number) => {
      const button = this.spanning("button", at, started[number + 1]?.at ?? this.length);
      button.type = "button";
      button.textContent = button.title = phaseTitle(event);
      button.addEventListener("click", () => this.seek(at));
      this.find("phases").append(button);
    });
  }

  spanning(name, from, to) {
    const made = element(name);
    made.style.left = `${100 * from / (this.length || 1)}%`;
    made.style.width = `${100 * (to - from) / (this.length || 1)}%`;
    return made;
  }

  // Commands

  toggle() {
    if (this.playing !== null) this.pause();
    else this.play();
  }

  play() {
    if (this.position >= this.length) this.seek(0);
    this.open();
    this.playing = performance.now();
    clearInterval(this.timer);
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.tick();
  }

  pause() {
    this.anchor = this.position;
    this.playing = null;
    clearInterval(this.timer);
    this.showPosition();
  }

  setSpeed(speed) {
    this.anchor = this.position;
    if (this.playing !== null) this.playing = performance.now();
    this.speed = speed;
    this.find("speed").value = speed;
  }

  seek(position) {
    this.open();
    this.anchor = Math.min(Math.max(position, 0), this.length);
    if (this.playing !== null) this.playing = performance.now();
    if (this.applied && this.items[this.applied - 1].at > this.anchor) {
      this.view.debate.reset();
      this.applied = 0;
    }
    while (this.isDue(this.anchor)) this.view.debate.apply(this.items[this.applied++].event);
    this.view.show();
    for (const pane of this.view.panes.values()) pane.toEnd();
    this.showPosition();
  }

  get position() {
    if (this.playing === null) return this.anchor;
    return Math.min(this.anchor + this.speed * (performance.now() - this.playing) / 1000, this.length);
  }

  isDue(position) {
    return this.applied < this.items.length && this.items[this.applied].at <= position;
  }

  tick() {
    const { position } = this;
    while (this.isDue(position)) this.view.apply(this.items[this.applied++].event);
    if (position >= this.length) this.pause();
    else this.showPosition();
  }

  showPosition() {
    const { position } = this;
    const over = position >= this.length;
    this.find("play").textContent = this.playing !== null ? "‖ Pause" : over ? "↻ Again" : "▶ Play";
    this.find("clock").textContent = `${clock(position)} / ${clock(this.length)}`;
    this.find("position").value = position;
    const { phase } = this.view.debate;
    this.find("position").ariaValueText = `${clock(position)} of ${clock(this.length)}${phase ? `, ${phaseTitle(phase)}` : ""}`;
  }

  // The document stays in place below the player, for printing and for the way back.
  open() {
    if (!this.find("stage").hidden) return;
    this.setOpen(true);
    this.find("play").focus();
  }

  close() {
    this.pause();
    this.setOpen(false);
  }

  setOpen(open) {
    this.find("stage").hidden = !open;
    this.find("close").hidden = !open;
    this.host.classList.toggle("open", open);
    document.documentElement.classList.toggle("playing", open);
    for (const part of document.body.children) if (part !== this.host) part.inert = open;
  }

  // Keys, while the player is open: in the document they scroll.
  pressed(event) {
    if (this.find("stage").hidden || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.composedPath()[0];
    if (target.matches?.("select") || (event.key === " " && target.matches?.("button, summary"))) return;
    const { position, speed } = this;
    const step = (by) => SPEEDS[Math.min(Math.max(SPEEDS.indexOf(speed) + by, 0), SPEEDS.length - 1)];
    const actions = {
      " ": () => this.toggle(),
      ArrowLeft: () => this.seek(position - SKIP_S),
      ArrowRight: () => this.seek(position + SKIP_S),
      Home: () => this.seek(0),
      End: () => this.seek(this.length),
      "[": () => this.seek(this.turnStarts.findLast((at) => at < position - SAME_START_S) ?? 0),
      "]": () => this.seek(this.turnStarts.find((at) => at > position) ?? this.length),
      ",": () => this.setSpeed(step(-1)),
      ".": () => this.setSpeed(step(1)),
      Escape: () => this.close(),
    };
    if (!Object.hasOwn(actions, event.key)) return;
    event.preventDefault();
    actions[event.key]();
  }
}

function clock(seconds) {
  const whole = Math.floor(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] ? parts : parts.slice(1);
  return shown.map((part, place) => place ? String(part).padStart(2, "0") : part).join(":");
}

const host = document.getElementById("player");
// Browsers that do not know shadow roots in documents show the document alone.
if (host.shadowRoot) new Player(host, JSON.parse(document.getElementById("recording").textContent));
