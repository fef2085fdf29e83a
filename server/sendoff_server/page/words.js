// What is said of a job, in the words of the add-on.

const PLAIN = {
  queued: "Waiting for a worker",
  starting: "Starting",
  running: "Running",
  cancelling: "Cancelling",
  succeeded: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
};

export const FINAL = ["succeeded", "failed", "cancelled"];

/** The state: short, since it is read aloud whenever it changes. */
export function stateWords(job) {
  const words = [PLAIN[job.state] ?? job.state];
  if (job.state === "running" && job.stage) words[0] = job.stage;
  if (job.state === "queued" && job.queue_position > 1) words.push(`place ${job.queue_position} in the queue`);
  if (!FINAL.includes(job.state) && job.attempt > 1 && job.attempt <= job.max_attempts) {
    words.push(`attempt ${job.attempt} of ${job.max_attempts}`);
  }
  return words.join(", ");
}

/** What the health of a job asks to be said; "" where it is well. */
export function healthWords(job) {
  if (FINAL.includes(job.state)) return "";
  if (job.health === "worker_lost") return "The worker was lost; another one takes over, and nothing has to be done.";
  if (job.health === "stalled") return "No word from the worker for a while; it may still be well.";
  return "";
}

/** What is said beside the state; "" where that is no news, or stands elsewhere. */
export function messageWords(job) {
  const isKnown = job.state === "failed" || job.message.toLowerCase() === job.state;
  return isKnown || job.message === stateWords(job) ? "" : job.message;
}

/** Task, person, time and worker in a line; `task` is the task's title. */
export function aboutWords(job, task, person = "") {
  const words = [task, person];
  if (job.created_at) words.push(`sent ${timeWords(job.created_at)}`);
  if (job.worker) words.push(`on ${job.worker}`);
  return words.filter(Boolean).join(" · ");
}

/** A time of today by the clock, else with its day. */
export function timeWords(seconds) {
  const time = new Date(seconds * 1000);
  const today = time.toDateString() === new Date().toDateString();
  return time.toLocaleString([], today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
}

/** What a job is called. */
export function titleWords(job, taskTitle) {
  return job.title && job.title !== job.task ? job.title : taskTitle || job.task;
}

/** How long a job has been at work, or was; "" where it was not. */
export function durationWords(job, now) {
  if (!job.started_at || job.state === "queued") return "";
  const seconds = Math.max(0, (FINAL.includes(job.state) ? job.finished_at : now) - job.started_at);
  if (seconds < 1) return "under 1 s";
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${Math.floor(seconds % 60)} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** The time left, coarse enough not to flicker; "" where it is unknown. */
export function timeLeft(seconds) {
  if (seconds === null || !Number.isFinite(seconds) || seconds < 0) return "";
  if (seconds < 5) return "a few seconds left";
  if (seconds < 57.5) return `${Math.round(seconds / 5) * 5} s left`;
  const minutes = Math.max(1, Math.round(seconds / 60));
  if (minutes < 60) return `${minutes} min left`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
}

/** A size in the unit that suits it. */
export function sizeWords(bytes) {
  if (bytes < 1e3) return `${bytes} bytes`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(0)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}
