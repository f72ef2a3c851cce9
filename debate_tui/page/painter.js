// When text is painted: the counterpart of the program's display modes.

const WINDOW_MS = 100;
// Milliseconds one frame may spend on parsing; the rest is left for the next.
const BUDGET_MS = 8;

export class Painter {
  constructor(paint) {
    this.paint = paint;
    this.mode = "hybrid";
    this.dirty = new Set();
    this.flushed = 0;
    this.due = false;
  }

  // All panes in one frame, or, staggered, each in the next frame.
  mark(id, streaming) {
    this.dirty.add(id);
    if (this.due) return;
    this.due = true;
    const together = this.mode === "synchronized" || (this.mode === "hybrid" && streaming > 1);
    const wait = together ? this.flushed + WINDOW_MS - performance.now() : 0;
    if (wait > 0) setTimeout(() => this.frame(), wait);
    else this.frame();
  }

  frame() {
    // Hidden pages have no animation frames: paint at once.
    if (document.hidden) this.flush();
    else requestAnimationFrame(() => this.flush());
  }

  flush() {
    this.due = false;
    this.flushed = performance.now();
    const deadline = this.flushed + BUDGET_MS;
    const dirty = this.dirty;
    this.dirty = new Set();
    for (const id of dirty) {
      try {
        if (performance.now() > deadline || this.paint(id, deadline) === false) this.dirty.add(id);
      } catch (error) {
        reportError(error); // One pane's failure never touches another pane.
      }
    }
    if (this.dirty.size && !this.due) {
      this.due = true;
      setTimeout(() => this.frame(), 0);
    }
  }
}
