// The page of one job: what the server pushes is shown as it comes.

import { at, make, put, say } from "/page/elements.js";
import { merge } from "/page/jobs.js";
import { Details } from "/page/details.js";
import { LogTail } from "/page/log.js";
import { notify, offerNotifications } from "/page/notify.js";
import { Results } from "/page/results.js";
import { call, jobPath, serverNow, token } from "/page/server.js";
import { SignedIn } from "/page/signed_in.js";
import { EventStream, ofJob } from "/page/stream.js";
import { FINAL, aboutWords, durationWords, healthWords, messageWords, stateWords, timeLeft, titleWords } from "/page/words.js";

const RETRY_MS = 3000;
const DRAW_MS = 50;
const SIGN_IN_HINT = "Or open this page from the add-on: its job list has a button for that, which signs you in here by itself.";
const NO_SUCH_JOB = "There is no such job of yours. It may have been deleted, or belong to somebody else.";
const OF_A_JOB = ["about", "state", "bar", "percent", "left", "message", "note", "cancel", "retry", "details", "log"];

const id = decodeURIComponent(location.pathname.split("/").pop());
let job = null;
let stream = null;
let caller = null;
let taskTitles = {};
let drawing = false;

const page = new SignedIn({ hint: SIGN_IN_HINT, open, close });
const log = new LogTail(id);
const details = new Details(id, (problem) => page.leave(problem.message));
const results = new Results(id, (problem) => page.leave(problem.message));

async function open(server) {
  caller = server;
  try {
    const { tasks } = await (await call("GET", "/v1/tasks")).json();
    taskTitles = Object.fromEntries(tasks.map((task) => [task.name, task.title]));
  } catch (problem) {
    if (problem.status === 401) return page.leave(problem.message);
    // Without titles the page shows the tasks' names.
  }
  stream?.stop();
  const used = token.get();
  stream = new EventStream(ofJob(id), used, {
    event: follow,
    connection: (state) => page.connection(state),
    log: () => log.readSoon(0),
    refused: (what) => (what === "sign-in" ? page.refused(used) : showNone()),
  });
}

function close() {
  stream?.stop();
  stream = null;
  job = null;
  for (const part of [results, details, log]) part.clear(); // nothing of one person stays for the next
  at("job").hidden = true;
}

function showNone() {
  page.connection("");
  at("job").hidden = false;
  put("title", "No such job");
  document.title = "No such job – Sendoff";
  for (const name of OF_A_JOB) at(name).hidden = true;
  say("problem", "problem-text", NO_SUCH_JOB);
}

// --- following the job

function follow(event) {
  const wasActive = job !== null && !FINAL.includes(job.state);
  job = merge(job, event);
  draw();
  if (event.kind !== "progress") {
    log.readSoon();
    details.refresh();
  }
  if (!FINAL.includes(job.state)) return;
  if (wasActive && job.owner === caller.person) notify(job, taskTitles[job.task]);
  finish();
}

/** Everything is told once a job has ended: its result is asked for as a whole, and the stream is over. */
async function finish() {
  stream?.stop();
  try {
    job = await (await call("GET", jobPath(id))).json();
  } catch (problem) {
    if (problem.status === 401) return page.leave(problem.message);
    if (problem.status === 404) return showNone();
    page.connection("reconnecting");
    setTimeout(finish, RETRY_MS);
    return;
  }
  page.connection("");
  draw();
}

// --- drawing

function draw() {
  if (drawing) return;
  drawing = true;
  // Not a frame of the animation, which a tab in the background never gets: its title is to go on.
  setTimeout(() => {
    drawing = false;
    if (job) show();
  }, DRAW_MS);
}

function show() {
  const ended = FINAL.includes(job.state);
  at("job").hidden = false;
  at("job").className = `${job.state}${!ended && job.fraction === null ? " waiting" : ""}`;
  const task = taskTitles[job.task] || job.task;
  const title = titleWords(job, task);
  put("title", title);
  put("about", aboutWords(job, title === task ? "" : task, job.owner === caller.person ? "" : job.owner));
  put("state", stateWords(job));
  put("message", messageWords(job));
  at("message").hidden = job.state !== "running" && !messageWords(job);
  showBar(ended);
  at("note").hidden = !healthWords(job);
  put("note", healthWords(job));
  at("cancel").hidden = ended;
  at("cancel").disabled = job.state === "cancelling";
  at("retry").hidden = !ended;
  const error = job.state === "failed" ? (job.result?.error?.detail ?? job.message) : "";
  say("problem", "problem-text", error);
  list("warnings", "warnings-list", job.result?.warnings ?? []);
  results.show(job.result);
  const percent = job.fraction === null || ended ? "" : `${Math.floor(job.fraction * 100)} % `;
  document.title = `${percent || `${stateWords(job)}: `}${title} – Sendoff`;
}

function showBar(ended) {
  const percent = job.fraction === null ? null : Math.floor(job.fraction * 100);
  at("bar").hidden = ended && job.fraction === null;
  at("fill").style.setProperty("--fraction", job.fraction ?? 0);
  if (percent === null) at("bar").removeAttribute("aria-valuenow");
  else at("bar").setAttribute("aria-valuenow", percent);
  put("percent", percent === null ? "" : `${percent} %`);
  showTime();
}

function showTime() {
  if (!job) return;
  const since = (performance.now() - job.told_at) / 1000;
  const left = job.eta_seconds != null && job.state === "running" ? timeLeft(Math.max(0, job.eta_seconds - since)) : "";
  const spent = durationWords(job, serverNow());
  put("left", [spent && (FINAL.includes(job.state) ? `took ${spent}` : `for ${spent}`), left].filter(Boolean).join(" · "));
}

setInterval(showTime, 1000);

function list(section, name, texts) {
  const known = JSON.stringify(texts);
  at(section).hidden = !texts.length;
  if (at(name).dataset.known === known) return;
  at(name).dataset.known = known;
  at(name).replaceChildren(...texts.map((text) => make("li", { textContent: text })));
}

// --- what a person can do

/** Ask the server to do something with the job; what it refuses is said. */
async function ask(button, what) {
  button.disabled = true;
  try {
    return await (await call("POST", jobPath(id, what))).json();
  } catch (problem) {
    if (problem.status === 401) return page.leave(problem.message);
    button.disabled = false;
    at("note").hidden = false;
    put("note", problem.message);
    return undefined;
  }
}

at("cancel").addEventListener("click", () => ask(at("cancel"), "cancel"));
at("retry").addEventListener("click", async () => {
  const again = await ask(at("retry"), "retry");
  if (again) location.assign(jobPath(again.id).replace("/v1", ""));
});
offerNotifications(at("notify"), (text) => {
  at("note").hidden = false;
  put("note", text);
});
page.start();
