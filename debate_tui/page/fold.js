// The state of a debate, folded from its events; the counterpart of the program's `Transcript`.

import { codePoints } from "./text.js";

// Reasons of turns that others see; failed and refused turns are not arguments.
const PUBLIC_REASONS = ["complete", "length", "stopped"];

class Turn {
  constructor(event, round) {
    this.number = event.turn;
    this.debater = event.debater;
    this.phase = event.phase;
    this.round = round;
    this.model = "";
    this.text = "";
    this.reasoning = "";
    this.length = 0;
    this.reasoningLength = 0;
    this.oldest = 0;
    this.spoken = 0;
    this.attempt = 1;
    this.superseded = 0;
    this.seams = [];
    this.reason = null;
    this.usage = null;
    this.ttft = null;
    this.duration = null;
    this.quotes = [];
    this.citations = [];
    this.omitted = false;
  }

  // A delta applies only if it starts where the text ends, so duplicates are harmless.
  add(delta) {
    if (delta.attempt < this.oldest || !delta.text) return false;
    if (delta.reasoning) {
      if (delta.offset !== this.reasoningLength) return false;
      this.reasoning += delta.text;
      this.reasoningLength += codePoints(delta.text);
    } else {
      if (delta.offset !== this.length) return false;
      if (delta.attempt > this.spoken && this.length) this.seams.push(this.text.length);
      this.spoken = Math.max(this.spoken, delta.attempt);
      this.text += delta.text;
      this.length += codePoints(delta.text);
    }
    this.attempt = Math.max(this.attempt, delta.attempt);
    if (this.reason) this.reopen(); // a snapshot does not say which turns were cut
    return true;
  }

  attempted(attempt) {
    if (!this.reason) this.attempt = Math.max(this.attempt, attempt);
  }

  supersede(attempt) {
    if (attempt <= this.oldest) return;
    this.oldest = attempt;
    this.attempt = Math.max(this.attempt, attempt);
    this.superseded++;
    this.text = this.reasoning = "";
    this.length = this.reasoningLength = this.spoken = 0;
    this.seams = [];
    this.reopen();
  }

  reopen() {
    this.reason = null;
    this.quotes = this.citations = [];
  }
}

export class Debate {
  constructor() {
    this.reset();
  }

  reset() {
    this.seq = 0;
    this.debate = this.topic = this.format = "";
    this.debaters = new Map();
    this.letters = {};
    this.material = [];
    this.active = [];
    this.phase = null;
    this.turns = new Map();
    this.statuses = new Map();
    this.notes = [];
    this.votes = { before: {}, after: {} };
    this.verdicts = [];
    this.report = null;
    this.live = true;
    this.paused = null;
    this.finished = null;
    this.cut = []; // numbers of the turns that the end interrupted
  }

  turnsOf(debater) {
    return [...this.turns.values()].filter((turn) => turn.debater === debater);
  }

  // Returns whether a debater is still in the debate, or finished a turn before it left.
  isHeard(id) {
    return this.active.includes(id) || this.turnsOf(id).some(({ reason }) => PUBLIC_REASONS.includes(reason));
  }

  get heard() {
    return [...this.turns.values()].some((turn) => turn.reason);
  }

  load(snapshot) {
    this.reset();
    this.seq = snapshot.seq;
    Object.assign(this, {
      debate: snapshot.debate, topic: snapshot.topic, format: snapshot.format,
      letters: snapshot.letters ?? {}, live: snapshot.live, active: snapshot.active, phase: snapshot.phase, votes: snapshot.votes, verdicts: snapshot.verdicts,
      material: snapshot.material ?? [], report: snapshot.report,
    });
    for (const debater of snapshot.debaters) this.debaters.set(debater.id, debater);
    for (const [id, status] of Object.entries(snapshot.statuses)) this.statuses.set(id, status);
    for (const known of snapshot.turns) {
      const turn = new Turn(known, known.round);
      Object.assign(turn, {
        model: known.model, text: known.text, reasoning: known.reasoning ?? "", attempt: known.attempt,
        superseded: known.superseded ?? 0, oldest: known.superseded ? known.attempt : 0,
        reason: known.reason ?? null, usage: known.usage ?? null, ttft: known.ttft_ms ?? null,
        duration: known.duration_ms ?? null, quotes: known.quotes ?? [], citations: known.citations ?? [],
        omitted: known.omitted ?? false,
      });
      turn.length = codePoints(turn.text);
      turn.spoken = turn.length ? turn.attempt : 0;
      turn.reasoningLength = codePoints(turn.reasoning);
      this.turns.set(turn.number, turn);
    }
    for (const said of snapshot.interjections) this.notes.push({ kind: "interjection", event: said });
    if (snapshot.state === "paused") this.paused = { reason: "", debater: null };
    else if (snapshot.state !== "running") this.finished = snapshot.state;
  }

  // Applies an event; returns the ids of the debaters whose panes change, or null for all.
  apply(event) {
    if (event.type !== "turn.delta" && event.seq && event.seq <= this.seq) return [];
    if (event.seq > this.seq) this.seq = event.seq;
    const turn = this.turns.get(event.turn);
    switch (event.type) {
      case "turn.delta":
        return turn?.add(event) ? [event.debater] : [];
      case "turn.started":
        if (turn) turn.reopen();
        else this.turns.set(event.turn, new Turn(event, this.phase?.round ?? 1));
        return [event.debater];
      case "turn.superseded":
        turn?.supersede(event.attempt);
        return [event.debater];
      case "turn.finished":
        if (turn) {
          turn.reason = event.reason;
          turn.usage = event.usage ?? null;
          turn.ttft = event.ttft_ms ?? null;
          turn.duration = event.duration_ms ?? null;
          turn.quotes = event.quotes ?? [];
          turn.citations = event.citations ?? [];
        }
        return [event.debater];
      case "stream.status":
        this.statuses.set(event.debater, { ...event, received: performance.now() });
        this.turnsOf(event.debater).at(-1)?.attempted(event.attempt);
        return [event.debater];
      case "debate.started":
        Object.assign(this, { debate: event.debate, topic: event.topic, format: event.format, material: event.material ?? [] });
        this.debaters = new Map(event.debaters.map((debater) => [debater.id, debater]));
        this.active = event.debaters.map((debater) => debater.id);
        return null;
      case "debaters.revealed":
        this.letters = Object.fromEntries([...this.debaters.values()].map(({ id, name }) => [id, name]));
        for (const debater of event.debaters) this.debaters.set(debater.id, debater);
        return null;
      case "phase.started":
        this.phase = event;
        return null;
      case "debate.paused":
        this.paused = event;
        return null;
      case "debate.resumed":
        this.paused = this.finished = null;
        for (const number of this.cut.splice(0)) this.turns.get(number)?.reopen();
        return null;
      case "debater.removed":
      case "debater.replaced":
      case "debater.returned":
        this.active = event.remaining;
        if (event.model !== undefined && this.debaters.has(event.debater)) {
          const { source, model } = event;
          this.debaters.set(event.debater, { ...this.debaters.get(event.debater), source, model });
        }
        this.notes.push({ kind: event.type, event });
        return null;
      case "interjection":
        this.notes.push({ kind: "interjection", event });
        return null;
      case "vote": {
        const counts = this.votes[event.when] ??= {};
        const choice = event.side || event.debater || "";
        counts[choice] = (counts[choice] ?? 0) + 1;
        return null;
      }
      case "verdict":
        this.verdicts.push(event);
        return null;
      case "report":
        this.report = event;
        return null;
      case "debate.finished":
        this.finished = event.reason;
        this.cut = [...event.cut ?? []];
        return null;
    }
    return [];
  }
}
