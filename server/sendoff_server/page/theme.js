// Dark, light, or as the system has it. Not a module, so that it runs before anything is drawn.
(() => {
  const KEY = "sendoff.theme";
  const NEXT = { "": "dark", dark: "light", light: "" };
  const WORDS = { "": "Colours: as the system", dark: "Colours: dark", light: "Colours: light" };
  let theme = localStorage.getItem(KEY) ?? "";
  const root = document.documentElement;

  function show() {
    root.dataset.theme = theme;
    const button = document.getElementById("theme");
    if (!button) return;
    button.title = WORDS[theme];
    button.setAttribute("aria-label", WORDS[theme]);
  }

  show();
  document.addEventListener("DOMContentLoaded", () => {
    show();
    document.getElementById("theme")?.addEventListener("click", () => {
      theme = NEXT[theme] ?? "";
      localStorage.setItem(KEY, theme);
      show();
    });
  });
})();
