// Events over a WebSocket that comes back by itself, and goes on where it was: of one job, or of many.

import { jobPath } from "/page/server.js";
import { FINAL } from "/page/words.js";

const SILENCE_MS = 35_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
const REFUSALS = { 4401: "sign-in", 4404: "not-found" };
/** The server takes no more in a hello. */
const MOST_PLACES = 1000;

/** One job's events: where it is, and the hello. `places` tells how far each job was told, as {epoch, seq}. */
export const ofJob = (job) => ({
  path(places) {
    const place = places.get(job);
    return jobPath(job, "events") + (place ? `?epoch=${place.epoch}&after=${place.seq}` : "");
  },
  hello: () => ({}),
});

/** Those of all jobs of a scope: "person", or "studio" for everybody's. */
export const ofAll = (scope) => ({
  path: () => "/v1/events",
  hello: (places) => ({
    scope,
    after: Object.fromEntries([...places].slice(-MOST_PLACES).map(([job, { epoch, seq }]) => [job, [epoch, seq]])),
  }),
});

export class EventStream {
  /** `on` has event(event), connection("online" | "reconnecting") and refused("sign-in" | "not-found"), and may
      have log(), which tells that the job's log has grown. */
  constructor(source, token, on) {
    this.source = source;
    this.token = token;
    this.on = on;
    this.places = new Map();
    this.pause = FIRST_PAUSE_MS;
    this.retry = () => this.open();
    window.addEventListener("online", this.retry);
    this.open();
  }

  stop() {
    window.removeEventListener("online", this.retry);
    this.drop();
    this.source = null;
  }

  open() {
    if (this.source === null) return;
    this.drop();
    const url = new URL(this.source.path(this.places), location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    this.socket = socket;
    this.listen();
    socket.onopen = () => socket.send(JSON.stringify({ token: this.token, ...this.source.hello(this.places) }));
    socket.onmessage = (message) => this.receive(JSON.parse(message.data));
    socket.onclose = (closed) => this.closed(closed.code);
  }

  receive(event) {
    this.listen();
    this.pause = FIRST_PAUSE_MS;
    this.on.connection("online");
    if (event.kind === "log") this.on.log?.();
    else if (event.kind !== "heartbeat" && this.isNews(event)) this.on.event(event);
  }

  isNews({ job, kind, state, epoch, seq, after, recovered }) {
    const place = this.places.get(job);
    const isSnapshot = kind === "snapshot";
    if (!isSnapshot && place && place.epoch === epoch && seq <= place.seq) return false;
    // After a snapshot is told anew what follows `after`, so that is where a next connection goes on.
    if (FINAL.includes(state)) this.places.delete(job);
    else this.places.set(job, { epoch, seq: isSnapshot ? (after ?? seq) : seq });
    if (isSnapshot) return true;
    // What was missed is older than the snapshot that came before it, which has told more.
    return !recovered;
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
