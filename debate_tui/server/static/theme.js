// Light or dark theme: the system's, until the user chooses.

const KEY = "debate-tui-theme";

function apply(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
}

export function themes(button) {
  apply(localStorage.getItem(KEY));
  button?.addEventListener("click", () => {
    const dark = getComputedStyle(document.documentElement).colorScheme.startsWith("dark")
      || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
    const theme = dark ? "light" : "dark";
    localStorage.setItem(KEY, theme);
    apply(theme);
  });
}
