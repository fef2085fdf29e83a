// What a TD wants to know of a job besides how it is: who, from where, with what.

import { at, make } from "/page/elements.js";
import { call, jobPath } from "/page/server.js";
import { sizeWords, timeWords } from "/page/words.js";

/** Have the part "Details" filled each time it is opened, and when `refresh` is called while it is open. */
export class Details {
  /** `refused(problem)` is told of a sign-in that has ended. */
  constructor(job, refused) {
    Object.assign(this, { job, refused, turn: 0 });
    at("details").addEventListener("toggle", () => this.refresh());
  }

  clear() {
    this.turn += 1;
    at("facts").replaceChildren();
  }

  async refresh() {
    if (!at("details").open) return;
    const { turn } = this;
    try {
      const job = await (await call("GET", jobPath(this.job))).json();
      if (turn === this.turn) at("facts").replaceChildren(...facts(job));
    } catch (problem) {
      if (problem.status === 401) this.refused(problem);
      else at("facts").replaceChildren(make("dd", { textContent: problem.message }));
    }
  }
}

function facts(job) {
  const { application, version } = job.host;
  const before = job.retry_of && make("a", { href: jobPath(job.retry_of).replace("/v1", ""), textContent: job.retry_of });
  const params = Object.keys(job.params).length && make("pre", { tabIndex: 0, textContent: JSON.stringify(job.params, null, 2) });
  if (params) params.setAttribute("aria-label", "Parameters");
  const found = {
    Job: job.id,
    Person: job.owner,
    Task: job.task,
    Parameters: params,
    "Sent from": [application, version].filter(Boolean).join(" "),
    Size: job.input_bytes ? sizeWords(job.input_bytes) : "",
    "Missing files": job.missing_files.join("\n"),
    Queue: job.queue,
    Worker: job.worker,
    Attempt: job.attempt ? `${job.attempt} of ${job.max_attempts}` : "",
    Sent: timeWords(job.created_at),
    Begun: job.started_at ? timeWords(job.started_at) : "",
    Ended: job.finished_at ? timeWords(job.finished_at) : "",
    "Run again of": before,
  };
  return Object.entries(found)
    .filter(([, value]) => value)
    .flatMap(([name, value]) => [make("dt", { textContent: name }), make("dd", {}, value)]);
}
