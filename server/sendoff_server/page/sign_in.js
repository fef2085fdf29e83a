// Signing in on a page: by the studio's account, by name and password, or by a token. The same on every page, so that it
// is made here.

import { make } from "/page/elements.js";
import { signIn, token, waysToSignIn } from "/page/server.js";

/** Put the forms into a place and show it; `done` is called once somebody is signed in. */
export function askToSignIn(place, { why = "", hint = "", done }) {
  const problem = make("p", { className: "problem-text", role: "alert", textContent: why });
  place.replaceChildren(
    make("h1", { textContent: "Sign in" }),
    problem,
    ...(hint ? [make("p", { className: "quiet", textContent: hint })] : []),
    passwordForm(problem, done),
    tokenForm(done),
  );
  place.hidden = false;
  place.querySelector("input").focus();
  addStudiosAccount(place, problem);
}

/** A link to the studio's own sign-in service, where the server has one. */
async function addStudiosAccount(place, problem) {
  const { oidc } = await waysToSignIn();
  if (!oidc || !place.contains(problem)) return;
  const href = `/oidc/sign-in?return_to=${encodeURIComponent(location.pathname)}`;
  const link = make("a", { className: "button main", href, textContent: `Sign in with ${oidc.name}` });
  problem.after(link);
  link.focus();
}

function passwordForm(problem, done) {
  const person = field("Name", { name: "person", autocomplete: "username" });
  const password = field("Password", { name: "password", type: "password", autocomplete: "current-password" });
  const button = make("button", { type: "submit", className: "main", textContent: "Sign in" });
  const form = make("form", { name: "password-form" }, person, password, button);
  form.addEventListener("submit", async (submitted) => {
    submitted.preventDefault();
    button.disabled = true;
    problem.textContent = "";
    try {
      await signIn(form.elements.person.value, form.elements.password.value);
    } catch (error) {
      problem.textContent = error.message;
      form.elements.password.select();
      return;
    } finally {
      button.disabled = false;
    }
    done();
  });
  return form;
}

function tokenForm(done) {
  const shown = field("Token that your TD gave you", { name: "token", type: "password", autocomplete: "off" });
  const button = make("button", { type: "submit", textContent: "Use it" });
  const note = make("p", { className: "quiet", textContent: "It is kept for this tab only, until the tab is closed." });
  const form = make("form", { name: "token-form" }, shown, button, note);
  form.addEventListener("submit", (submitted) => {
    submitted.preventDefault();
    token.keep(form.elements.token.value.trim());
    done();
  });
  return make("details", {}, make("summary", { textContent: "By a token" }), form);
}

function field(label, attributes) {
  const input = make("input", { required: true, spellcheck: false, ...attributes });
  return make("label", { className: "field" }, make("span", { textContent: label }), input);
}
