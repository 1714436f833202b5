// Shows on formgrader's pages what the platform refused, in the platform's own words. Loaded after nbgrader's scripts.
(function () {
  "use strict";
  function show(message) {
    var box = document.getElementById("atelier-refused");
    if (!box) {
      box = document.createElement("div");
      box.id = "atelier-refused";
      box.setAttribute("role", "alert");
      box.className = "alert alert-danger";
      box.style.cssText = "position:fixed;bottom:0;left:0;right:0;z-index:2000;margin:0;text-align:center";
      document.body.appendChild(box);
    }
    box.textContent = message;
  }
  $(document).ajaxError(function (event, request) {
    var message = "";
    try {
      message = JSON.parse(request.responseText).message || "";
    } catch (error) {
      message = "";
    }
    show(message || "Error " + request.status);
    $(".save-icon").hide();
  });
})();
