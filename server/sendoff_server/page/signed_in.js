// A page for who is signed in: it asks who that is, shows it, and says how the connection is.

import { at, put } from "/page/elements.js";
import { Problem, call, keepTime, redeem, renew, takeFragment, token } from "/page/server.js";
import { askToSignIn } from "/page/sign_in.js";

const RETRY_MS = 3000;
const ENDED = "Your sign-in on this page has ended. Sign in again, or open the page from the add-on.";

export class SignedIn {
  /** `open(server)` is called once somebody is signed in, with what the server says of itself and the caller; `close()`
      once nobody is any more. */
  constructor({ hint, open, close }) {
    Object.assign(this, { hint, open, close });
    // A link from the add-on that leads to the page that is open already changes only the fragment.
    window.addEventListener("hashchange", () => this.start());
    at("sign-out").addEventListener("click", () => this.signOut());
  }

  async start() {
    const { code, "sign-in": signInCode } = takeFragment("code", "sign-in");
    let why = "";
    try {
      if (code || signInCode) await redeem(code || signInCode);
    } catch (problem) {
      why = problem.message;
    }
    if (token.get()) await this.enter();
    else this.leave(why);
  }

  async enter() {
    at("sign-in").hidden = true;
    this.connection("reconnecting", "Connecting …");
    let server;
    try {
      server = await (await call("GET", "/v1/server")).json();
    } catch (problem) {
      if (problem.status === 401) return this.leave(problem.message);
      this.connection("reconnecting");
      setTimeout(() => this.enter(), RETRY_MS);
      return;
    }
    keepTime(server.time);
    put("person", server.person);
    at("sign-out").hidden = false;
    this.open(server);
  }

  leave(why = ENDED) {
    token.forget();
    this.close();
    this.connection("");
    put("person", "");
    at("sign-out").hidden = true;
    askToSignIn(at("sign-in"), { why, hint: this.hint, done: () => this.enter() });
    document.title = "Sign in – Sendoff";
  }

  async signOut() {
    try {
      await call("DELETE", "/v1/sessions/current");
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem; // signed out here in any case
    }
    this.leave("");
  }

  /** A stream that comes back after long comes with a token that has ended meanwhile: have another, or ask. */
  async refused(used) {
    try {
      if (await renew(used)) return this.enter();
    } catch {
      this.connection("reconnecting");
      setTimeout(() => this.refused(used), RETRY_MS);
      return;
    }
    this.leave();
  }

  connection(state, words) {
    const shown = { online: "Live", reconnecting: "Reconnecting …" };
    put("connection", words ?? shown[state] ?? "");
    at("connection").className = `connection ${state}`;
    document.body.classList.toggle("reconnecting", state === "reconnecting");
  }
}
