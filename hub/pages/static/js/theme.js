// Light or dark, before the first paint: what the person chose in this browser, else what the device says.
(() => {
  "use strict";
  const key = "atelier-theme";
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => {
    try {
      return localStorage.getItem(key) || "auto";
    } catch {
      return "auto"; // storage is switched off
    }
  };
  const apply = () => {
    const theme = chosen() === "auto" ? (dark.matches ? "dark" : "light") : chosen();
    document.documentElement.setAttribute("data-bs-theme", theme);
    for (const button of document.querySelectorAll("[data-theme]")) {
      button.setAttribute("aria-pressed", String(button.dataset.theme === chosen()));
    }
  };
  apply();
  dark.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", () => {
    apply();
    for (const button of document.querySelectorAll("[data-theme]")) {
      button.addEventListener("click", () => {
        try {
          localStorage.setItem(key, button.dataset.theme);
        } catch {
          return;
        }
        apply();
      });
    }
  });
})();
