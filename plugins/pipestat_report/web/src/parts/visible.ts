/** Characters that nobody sees but that change what is seen, written out. */
import { options, type VNode } from "preact";

// Controls but for tab and line break, line separators, and what turns the direction of text.
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** A text with such characters as `\u202e`. */
export const visible = (text: string): string =>
  text.replace(UNSEEN, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

const SAID = ["title", "aria-label", "alt", "placeholder"];

const shown = (child: unknown): unknown =>
  typeof child === "string" ? visible(child) : Array.isArray(child) ? child.map(shown) : child;

/** Lets every text of the page through `visible`, whichever view it stands in. */
export function showUnseen(): void {
  const usual = options.vnode;
  options.vnode = (vnode: VNode) => {
    if (typeof vnode.type === "string") {
      const props = vnode.props as Record<string, unknown>;
      if (props.children !== undefined) props.children = shown(props.children);
      for (const name of SAID) {
        if (typeof props[name] === "string") props[name] = visible(props[name]);
      }
    }
    usual?.(vnode);
  };
}
