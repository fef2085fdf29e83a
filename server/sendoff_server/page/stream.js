// One job's events over a WebSocket that comes back by itself, and goes on where it was.

import { jobPath } from "/page/server.js";

const SILENCE_MS = 35_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
const REFUSALS = { 4401: "sign-in", 4404: "not-found" };

export class JobStream {
  /** `on` has event(event), connection("online" | "reconnecting") and refused("sign-in" | "not-found"). */
  constructor(job, token, on) {
    this.job = job;
    this.token = token;
    this.on = on;
    this.place = null;
    this.pause = FIRST_PAUSE_MS;
    this.retry = () => this.open();
    window.addEventListener("online", this.retry);
    this.open();
  }

  stop() {
    window.removeEventListener("online", this.retry);
    this.drop();
    this.job = null;
  }

  open() {
    if (this.job === null) return;
    this.drop();
    const url = new URL(jobPath(this.job, "events"), location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    if (this.place) {
      url.searchParams.set("epoch", this.place.epoch);
      url.searchParams.set("after", this.place.seq);
    }
    const socket = new WebSocket(url);
    this.socket = socket;
    this.listen();
    socket.onopen = () => socket.send(JSON.stringify({ token: this.token }));
    socket.onmessage = (message) => this.receive(JSON.parse(message.data));
    socket.onclose = (closed) => this.closed(closed.code);
  }

  receive(event) {
    this.listen();
    this.pause = FIRST_PAUSE_MS;
    this.on.connection("online");
    if (event.kind === "heartbeat") return;
    const { epoch, seq } = event;
    if (event.kind === "snapshot") {
      // What follows is told anew from `after` on, so that is where a next connection goes on.
      this.place = { epoch, seq: event.after ?? seq };
    } else {
      if (this.place && this.place.epoch === epoch && seq <= this.place.seq) return;
      this.place = { epoch, seq };
      // It is older than the snapshot that came before it, which has told more.
      if (event.recovered) return;
    }
    this.on.event(event);
  }

  closed(code) {
    this.drop();
    if (code in REFUSALS) {
      this.stop();
      this.on.refused(REFUSALS[code]);
      return;
    }
    this.on.connection("reconnecting");
    this.timer = setTimeout(this.retry, this.pause * (0.75 + Math.random() / 2));
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE_MS);
  }

  /** Take silence for a broken connection: the server says something every 15 s. */
  listen() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.closed(0), SILENCE_MS);
  }

  drop() {
    clearTimeout(this.timer);
    if (!this.socket) return;
    this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
    this.socket = null;
  }
}
