// Workers, queues and the server's health, looked at anew every few seconds while the page is in sight.

import { at, make, put } from "/page/elements.js";
import { call } from "/page/server.js";

const EVERY_MS = 5000;

export class Machines {
  constructor(titleOfTask) {
    this.titleOfTask = titleOfTask;
    document.addEventListener("visibilitychange", () => this.isStarted && !document.hidden && this.look());
    if (window.matchMedia("(max-width: 70rem)").matches) at("machines").open = false;
  }

  start() {
    this.isStarted = true;
    this.look();
  }

  stop() {
    this.isStarted = false;
    clearTimeout(this.timer);
  }

  async look() {
    clearTimeout(this.timer);
    if (document.hidden) return;
    try {
      const [found, health] = await Promise.all([call("GET", "/v1/workers"), readiness()]);
      this.show(await found.json());
      put("health", health || "All well");
      at("health").className = health ? "health bad" : "health good";
    } catch (problem) {
      if (problem.status === 401) return; // the page asks for a sign-in by itself
      put("health", problem.message);
      at("health").className = "health bad";
    }
    clearTimeout(this.timer);
    if (this.isStarted) this.timer = setTimeout(() => this.look(), EVERY_MS);
  }

  show({ workers, queues }) {
    const known = JSON.stringify([workers, queues]);
    if (known === this.known) return;
    this.known = known;
    const none = make("li", { className: "quiet", textContent: "No worker is online. Jobs wait until one is." });
    const open = new Set([...at("workers").querySelectorAll("details[open]")].map((part) => part.dataset.worker));
    at("workers").replaceChildren(...(workers.length ? workers.map((one) => this.worker(one, open)) : [none]));
    at("queues").replaceChildren(...queues.map(queueItem));
  }

  worker(worker, open) {
    const fill = make("div", { className: "fill" });
    fill.style.setProperty("--fraction", worker.slots ? Math.min(1, worker.busy / worker.slots) : 0);
    const busy = `${worker.busy} of ${worker.slots} busy`;
    const about = [worker.series.length ? `Blender ${worker.series.join(", ")}` : "", worker.version && `Sendoff ${worker.version}`, worker.sandbox];
    const tasks = worker.tasks.map((task) => make("li", { textContent: task.title || task.name }));
    const more = make(
      "details", {}, make("summary", { textContent: `${tasks.length} ${tasks.length === 1 ? "task" : "tasks"}` }),
      make("ul", {}, ...tasks),
    );
    more.dataset.worker = worker.name;
    more.open = open.has(worker.name);
    return make(
      "li", {}, make("div", { className: "row" }, make("b", { textContent: worker.name }), make("span", { textContent: busy })),
      make("div", { className: "bar thin", ariaHidden: "true" }, fill),
      make("p", { className: "quiet", textContent: about.filter(Boolean).join(" · ") }), more,
    );
  }
}

function queueItem({ name, waiting, workers }) {
  const served = workers ? `${workers} ${workers === 1 ? "worker" : "workers"}` : "no worker";
  const words = make("span", { textContent: `${waiting} waiting · ${served}`, className: waiting && !workers ? "problem-text" : "quiet" });
  return make("li", { className: "row" }, make("b", { textContent: name }), words);
}

/** What keeps the server from work, as it says itself; "" where nothing does. */
async function readiness() {
  try {
    await call("GET", "/readyz");
    return "";
  } catch (problem) {
    return problem.message;
  }
}
