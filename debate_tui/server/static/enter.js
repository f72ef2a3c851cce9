import { themes } from "./theme.js";

themes();
const query = new URLSearchParams(location.search);
const code = query.get("code") ?? "";
document.getElementById("code").value = code;
document.getElementById("next").value = location.pathname === "/enter" ? "" : location.pathname;
if (performance.getEntriesByType("navigation")[0]?.responseStatus === 403) {
  document.getElementById("why").textContent = "That did not let you in: links are good once, and a token has to be exact.";
}
if (code) {
  document.getElementById("asked").hidden = true;
  document.getElementById("why").textContent = "You are invited. This link is good once.";
  history.replaceState(null, "", "/enter");
}
