import { themes } from "./theme.js";

themes();
const query = new URLSearchParams(location.search);
const code = query.get("code") ?? "";
document.getElementById("code").value = code;
document.getElementById("next").value = location.pathname === "/enter" ? "" : location.pathname;
if (performance.getEntriesByType("navigation")[0]?.responseStatus === 403) {
  document.getElementById("why").textContent = "That link or token is not valid. Links work once.";
}
if (code) {
  document.getElementById("asked").hidden = true;
  document.getElementById("why").textContent = "You are invited. This link works once.";
  history.replaceState(null, "", "/enter");
}
