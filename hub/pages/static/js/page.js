// Small manners of our pages; all of them work without it.
(() => {
  "use strict";
  const menus = () => document.querySelectorAll("details.menu[open]");
  document.addEventListener("click", (event) => {
    for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of menus()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
  // Filters answer at once; without scripts there is the button.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-submit-on-change]");
    if (form) form.requestSubmit();
  });
  // What somebody has unfolded stays so when a living part of the page is fetched again.
  let unfolded = [];
  document.addEventListener("htmx:beforeSwap", (event) => {
    unfolded = [...event.detail.target.querySelectorAll("details[open][id]")].map((one) => one.id);
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
    unfolded = [];
  });
  // A form is sent once.
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (button && event.target.method === "post") window.setTimeout(() => button.setAttribute("disabled", ""), 0);
  });
  window.addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("form[method=post] button[disabled]:not([data-off])")) button.removeAttribute("disabled");
  });
  for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => window.print());
  // After a form came back with errors, the first wrong field is where to go on.
  const wrong = document.querySelector("[aria-invalid=true]");
  if (wrong) wrong.focus();
})();
