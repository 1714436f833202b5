// JupyterHub's pages: their language, the language chooser before sign-in, "show the password".
(() => {
  "use strict";
  const meta = document.querySelector("meta[name=atelier-language]");
  if (meta) document.documentElement.lang = meta.content;
  document.addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-language]")) {
      button.addEventListener("click", () => {
        const secure = location.protocol === "https:" ? "; Secure" : "";
        document.cookie = `atelier-language=${button.dataset.language}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
        location.reload();
      });
    }
    const show = document.getElementById("show-password");
    const password = document.getElementById("password_input");
    if (show && password) show.addEventListener("change", () => (password.type = show.checked ? "text" : "password"));
  });
})();
