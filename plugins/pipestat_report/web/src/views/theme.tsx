/** Light, dark, or as the system has it; kept in the browser where it allows that. */
import { signal } from "@preact/signals";
import { IconButton } from "../parts/icons.tsx";

type Theme = "auto" | "light" | "dark";
const NEXT: Record<Theme, Theme> = { auto: "light", light: "dark", dark: "auto" };
const WORDS: Record<Theme, string> = { auto: "as the system", light: "light", dark: "dark" };
const KEY = "pipestat-theme";

const isTheme = (text: unknown): text is Theme => typeof text === "string" && text in NEXT;

function kept(): Theme {
  try {
    const text = localStorage.getItem(KEY);
    return isTheme(text) ? text : "auto";
  } catch {
    return "auto";
  }
}

const theme = signal<Theme>(kept());

function apply(): void {
  const { dataset } = document.documentElement;
  if (theme.value === "auto") delete dataset.theme;
  else dataset.theme = theme.value;
}
apply();

export function ThemeButton() {
  const change = () => {
    theme.value = NEXT[theme.value];
    apply();
    try {
      localStorage.setItem(KEY, theme.value);
    } catch {
      // The browser keeps nothing for this page: it lasts until it is closed.
    }
  };
  return (
    <IconButton
      id="theme"
      icon={theme.value}
      label={`Colours: ${WORDS[theme.value]}`}
      className="quiet"
      onClick={change}
    />
  );
}
