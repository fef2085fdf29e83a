// The page of one job: what the server pushes is shown as it comes.

import { Problem, call, filePath, jobPath, redeem, renew, takeFragment, token } from "/page/server.js";
import { askToSignIn } from "/page/sign_in.js";
import { JobStream } from "/page/stream.js";
import { FINAL, aboutWords, healthWords, messageWords, sizeWords, stateWords, timeLeft } from "/page/words.js";

const LOG_PAUSE_MS = 3000;
/** What an event may leave out. */
const BLANK = { stage: "", message: "", fraction: null, eta_seconds: null, queue_position: null, health: "ok" };
const FRESH_SIGN_IN = "Your sign-in on this page has ended. Open the job from the add-on again.";
const SIGN_IN_HINT = "Or open this page from the add-on: its job list has a button for that, which signs you in here by itself.";
const NO_SUCH_JOB = "There is no such job of yours. It may have been deleted, or belong to somebody else.";

const id = decodeURIComponent(location.pathname.split("/").pop());
const at = (name) => document.getElementById(name);
let job = null;
let stream = null;
let taskTitles = {};
let etaAt = 0;
let drawing = false;
let logTimer = 0;

// --- signing in

async function start() {
  const { code, "sign-in": signInCode } = takeFragment("code", "sign-in");
  let why = "";
  try {
    if (code || signInCode) await redeem(code || signInCode);
  } catch (problem) {
    why = problem.message;
  }
  if (token.get()) open();
  else signInFirst(why);
}

// A link from the add-on that leads to the page that is open already changes only the fragment.
window.addEventListener("hashchange", start);

function signInFirst(why) {
  stream?.stop();
  stream = null;
  connection("");
  put("person", "");
  at("job").hidden = true;
  askToSignIn(at("sign-in"), { why, hint: SIGN_IN_HINT, done: open });
  document.title = "Sign in – Sendoff";
}

/** Show the job; ask for a token where the one there is does not do. */
async function open() {
  at("sign-in").hidden = true;
  connection("reconnecting", "Connecting …");
  try {
    put("person", (await (await call("GET", "/v1/server")).json()).person);
    const { tasks } = await (await call("GET", "/v1/tasks")).json();
    taskTitles = Object.fromEntries(tasks.map((task) => [task.name, task.title]));
  } catch (problem) {
    if (problem.status === 401) return refused("sign-in", problem.message);
    // Anything else passes, and the stream tries until it has.
  }
  stream?.stop();
  const used = token.get();
  stream = new JobStream(id, used, { event: follow, connection, refused: (what) => streamRefused(what, used) });
}

/** A stream that comes back after long comes with a token that has ended meanwhile. */
async function streamRefused(what, used) {
  try {
    if (what === "sign-in" && (await renew(used))) return open();
  } catch {
    connection("reconnecting");
    setTimeout(() => streamRefused(what, used), LOG_PAUSE_MS);
    return;
  }
  refused(what);
}

function refused(what, why = "") {
  if (what === "sign-in") {
    token.forget();
    signInFirst(why || FRESH_SIGN_IN);
    return;
  }
  connection("");
  at("job").hidden = false;
  at("title").textContent = "No such job";
  document.title = "No such job – Sendoff";
  for (const name of ["about", "state", "bar", "percent", "left", "message", "note", "cancel", "log"]) at(name).hidden = true;
  say("problem", "problem-text", NO_SUCH_JOB);
}

// --- following the job

function follow(event) {
  const before = job;
  const { kind, recovered, reason, after, job_fields: fields, ...now } = event;
  job = { ...before, ...BLANK, ...now, ...fields };
  const begun = before?.attempt === job.attempt ? before.fraction : null;
  if (begun !== null && !FINAL.includes(job.state)) job.fraction = Math.max(begun, job.fraction ?? 0);
  etaAt = performance.now();
  draw();
  if (at("log").open) readLogSoon();
  if (FINAL.includes(job.state)) finish();
}

/** Everything is told once a job has ended: its result is asked for as a whole, and the stream is over. */
async function finish() {
  stream?.stop();
  try {
    job = await (await call("GET", jobPath(id))).json();
  } catch (problem) {
    if (problem.status === 401) return refused("sign-in", problem.message);
    if (problem.status === 404) return refused("not-found");
    connection("reconnecting");
    setTimeout(finish, LOG_PAUSE_MS);
    return;
  }
  connection("");
  draw();
}

function connection(state, words) {
  const shown = { online: "Live", reconnecting: "Reconnecting …" };
  const element = at("connection");
  const text = words ?? shown[state] ?? "";
  if (element.textContent !== text) element.textContent = text;
  element.className = `connection ${state}`;
  document.body.classList.toggle("reconnecting", state === "reconnecting");
}

// --- drawing

function draw() {
  if (drawing) return;
  drawing = true;
  // Not a frame of the animation, which a tab in the background never gets: its title is to go on.
  setTimeout(() => {
    drawing = false;
    show();
  }, 50);
}

function show() {
  const ended = FINAL.includes(job.state);
  at("job").hidden = false;
  at("job").className = `${job.state}${!ended && job.fraction === null ? " waiting" : ""}`;
  const task = taskTitles[job.task] || job.task;
  const title = job.title && job.title !== job.task ? job.title : task;
  put("title", title);
  put("about", aboutWords(job, title === task ? "" : task));
  put("state", stateWords(job));
  put("message", messageWords(job));
  at("message").hidden = job.state !== "running" && !messageWords(job);
  showBar(ended);
  at("note").hidden = !healthWords(job);
  put("note", healthWords(job));
  at("cancel").hidden = ended;
  at("cancel").disabled = job.state === "cancelling";
  const error = job.state === "failed" ? (job.result?.error?.detail ?? job.message) : "";
  say("problem", "problem-text", error);
  list("warnings", "warnings-list", job.result?.warnings ?? [], warningItem);
  list("results", "files", job.result?.files ?? [], fileItem);
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
  showTimeLeft();
}

function showTimeLeft() {
  const known = job?.eta_seconds != null && job.state === "running";
  put("left", known ? timeLeft(Math.max(0, job.eta_seconds - (performance.now() - etaAt) / 1000)) : "");
}

setInterval(showTimeLeft, 1000);

/** Write a text where it differs, so that nothing is read aloud twice. */
function put(name, text) {
  if (at(name).textContent !== (text ?? "")) at(name).textContent = text ?? "";
}

function say(section, name, text) {
  at(section).hidden = !text;
  put(name, text);
}

function list(section, name, items, make) {
  const known = JSON.stringify(items);
  at(section).hidden = !items.length;
  if (at(name).dataset.known === known) return;
  at(name).dataset.known = known;
  at(name).replaceChildren(...items.map(make));
}

function warningItem(text) {
  const item = document.createElement("li");
  item.textContent = text;
  return item;
}

function fileItem(file) {
  const item = document.createElement("li");
  const words = document.createElement("div");
  const name = document.createElement("span");
  const about = document.createElement("span");
  const button = document.createElement("button");
  name.className = "name";
  name.textContent = file.path;
  about.className = "quiet";
  about.textContent = [file.role === "result" ? "" : file.role, sizeWords(file.size)].filter(Boolean).join(" · ");
  button.type = "button";
  button.textContent = "Download";
  button.setAttribute("aria-label", `Download ${file.path}, ${sizeWords(file.size)}`);
  button.addEventListener("click", () => download(button, file));
  words.append(name, about);
  item.append(words, button);
  return item;
}

// --- what a person can do

at("cancel").addEventListener("click", async () => {
  at("cancel").disabled = true;
  try {
    await call("POST", jobPath(id, "cancel"));
  } catch (problem) {
    if (problem.status === 401) return refused("sign-in", problem.message);
    at("cancel").disabled = false;
    at("note").hidden = false;
    put("note", problem.message);
  }
});

/** Have the browser save a file as it comes. A form brings the token, since a download has no headers of ours. */
async function download(button, file) {
  const path = filePath(id, file.path);
  button.disabled = true;
  try {
    say("download-problem", "download-problem", "");
    await call("GET", path, { headers: { Range: "bytes=0-0" } }); // so that a refusal is said here
    save(path);
  } catch (problem) {
    if (problem.status === 401) return refused("sign-in", problem.message);
    if (problem.status === 416) save(path); // a file without a byte has no first one
    else say("download-problem", "download-problem", problem.message);
  } finally {
    button.disabled = false;
  }
}

function save(path) {
  at("download").action = path;
  at("download-token").value = token.get();
  at("download").submit();
  at("download-token").value = "";
}

at("log").addEventListener("toggle", () => {
  if (at("log").open) readLog();
});

function readLogSoon() {
  logTimer ||= setTimeout(readLog, LOG_PAUSE_MS);
}

async function readLog() {
  clearTimeout(logTimer);
  logTimer = 0;
  const element = at("log-text");
  const follows = element.scrollHeight - element.scrollTop - element.clientHeight < 40;
  try {
    put("log-text", (await (await call("GET", jobPath(id, "log"))).text()) || "Nothing is written yet.");
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    put("log-text", problem.message);
  }
  if (follows) element.scrollTop = element.scrollHeight;
}

start();
