// The worker's log of a job, which grows while one looks at it.

import { at, say } from "/page/elements.js";
import { Problem, call, jobPath } from "/page/server.js";

const PAUSE_MS = 1000;
const NEAR_END_PX = 40;

export class LogTail {
  constructor(job) {
    this.job = job;
    this.bytes = 0;
    this.timer = 0;
    /** Raised when what was asked for is not to be shown any more. */
    this.turn = 0;
    at("log").addEventListener("toggle", () => this.readSoon(0));
  }

  /** Read what is new, once: many events ask for it. */
  readSoon(pause = PAUSE_MS) {
    if (at("log").open) this.timer ||= setTimeout(() => this.read(), pause);
  }

  clear() {
    clearTimeout(this.timer);
    this.timer = this.bytes = 0;
    this.turn += 1;
    at("log-text").replaceChildren();
  }

  async read() {
    const { turn } = this;
    const text = at("log-text");
    const follows = text.scrollHeight - text.scrollTop - text.clientHeight < NEAR_END_PX;
    try {
      const answer = await call("GET", `${jobPath(this.job, "log")}?after=${this.bytes}`);
      const bytes = await answer.arrayBuffer();
      if (turn !== this.turn) return;
      this.bytes += bytes.byteLength;
      if (bytes.byteLength) text.append(new TextDecoder().decode(bytes));
      text.dataset.empty = this.bytes ? "" : "Nothing is written yet.";
      say("log-problem", "log-problem", "");
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      say("log-problem", "log-problem", problem.message);
    } finally {
      if (turn === this.turn) this.timer = 0;
    }
    if (follows) text.scrollTop = text.scrollHeight;
  }
}
