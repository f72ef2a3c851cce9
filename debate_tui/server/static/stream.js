// The event stream, read with fetch: unlike EventSource, this notices silence and reports why it waits.

const SILENCE_MS = 40_000;
const LONGEST_WAIT_MS = 30_000;

export class Stream {
  constructor(url, { onEvent, onState, isFinished }) {
    this.url = url;
    this.isFinished = isFinished;
    this.onEvent = onEvent;
    this.onState = onState;
    this.id = "";
    this.retry = 2000;
    this.failures = 0;
    this.over = false;
    addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.hurry());
  }

  async run() {
    while (!this.over) {
      try {
        await this.connect();
      } catch (error) {
        this.failures++;
        // After the end of the debate there is nothing to recover: the next request only asks for further events.
        if (!this.isFinished()) this.onState(navigator.onLine ? "reconnecting" : "offline", error);
      }
      if (!this.over) await this.wait();
    }
  }

  async connect() {
    this.abort = new AbortController();
    const headers = { accept: "text/event-stream" };
    if (this.id) headers["last-event-id"] = this.id;
    const answer = await fetch(this.url, { headers, signal: this.abort.signal, cache: "no-store" });
    if (answer.status === 204) return this.end();
    if (answer.status === 401 || answer.status === 403 || answer.status === 404) {
      this.over = true;
      return this.onState(answer.status === 404 ? "gone" : "locked");
    }
    if (!answer.ok || !answer.headers.get("content-type")?.startsWith("text/event-stream")) {
      const after = Number(answer.headers.get("retry-after"));
      if (after) this.retry = 1000 * after;
      throw new Error(`HTTP ${answer.status}`);
    }
    this.onState("live");
    await this.read(answer.body.pipeThrough(new TextDecoderStream()).getReader());
    throw new Error("ended");
  }

  end() {
    this.over = true;
    this.onState("over");
  }

  async read(reader) {
    let rest = "";
    let event = { type: "", data: [], id: null };
    for (;;) {
      const alarm = setTimeout(() => this.abort.abort(), SILENCE_MS);
      const { value, done } = await reader.read().finally(() => clearTimeout(alarm));
      if (done) return;
      this.failures = 0;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        if (line) this.field(event, line);
        else {
          // Use an id only after its whole event: if the connection breaks in between, the event must not be skipped.
          if (event.id !== null) this.id = event.id;
          if (event.data.length) this.onEvent(event.type, JSON.parse(event.data.join("\n")));
          event = { type: "", data: [], id: null };
        }
      }
    }
  }

  field(event, line) {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
    if (name === "data") event.data.push(value);
    else if (name === "event") event.type = value;
    else if (name === "id") event.id = value;
    else if (name === "retry" && /^\d+$/.test(value)) this.retry = Number(value);
  }

  wait() {
    const pause = Math.min(this.retry * 2 ** Math.max(0, this.failures - 1), LONGEST_WAIT_MS);
    return new Promise((resolve) => {
      this.wake = resolve;
      setTimeout(resolve, pause);
    });
  }

  hurry() {
    this.wake?.();
  }
}
