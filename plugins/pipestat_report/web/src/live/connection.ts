/**
 * The connection of a page to its server: the document, then what changes.
 *
 * Tabs of one store share one stream: one of them holds a lock and passes on what it hears. Where
 * nothing is heard the page says so, and asks for the document itself, again and again.
 */
import { signal } from "@preact/signals";
import type { ReportData } from "../model/document.ts";
import { mergeChange, type Change } from "./merge.ts";

/** `denied`: the server does not let this browser in any more. */
export type Contact = "live" | "polling" | "lost" | "denied";

interface Heard {
  kind: string;
  id: string;
  data: string;
}

/** The server gives a sign of life every 5 seconds. */
const SILENCE = 16_000;
const TICK = 1000;
const POLL = 5000;
/** Changes that come together are shown together. */
const GATHER = 150;
const RELOAD = 2000;
const KINDS = ["change", "reset", "trouble", "beat"];

export class Connection {
  readonly contact = signal<Contact>("live");
  /** When something was last heard, ISO 8601 UTC. */
  readonly heardAt = signal(new Date().toISOString());
  /** Why the server cannot read the store, if so. */
  readonly trouble = signal<string | null>(null);

  private data: ReportData | null = null;
  private cursor = "";
  private tag: string | null = null;
  private heard = performance.now();
  private polled = 0;
  private stream: EventSource | null = null;
  private leads = false;
  private waiting: Change[] = [];
  private flushTimer = 0;
  private reloading: Promise<void> | null = null;
  private again = false;
  private readonly channel: BroadcastChannel;
  /** What tabs of the same store know each other by. */
  private readonly name: string;

  /** `source` is the address of the store in the API; `show` gets each new document. */
  constructor(
    private readonly source: string,
    private readonly show: (data: ReportData) => void,
  ) {
    this.name = `pipestat ${new URL(source, location.href).href}`;
    this.channel = new BroadcastChannel(this.name);
    this.channel.onmessage = (message: MessageEvent<Heard>) => {
      // Another tab holds the stream again.
      if (!this.leads) this.close();
      this.receive(message.data);
    };
  }

  /** Follows the store from the document that was loaded. */
  listen(): void {
    this.heard = performance.now();
    setInterval(() => this.watch(), TICK);
    // Without locks, as on a plain address of another machine, each tab has a stream.
    const locks = navigator.locks as LockManager | undefined;
    if (!locks) this.lead();
    else {
      void locks.request(this.name, () => {
        this.lead();
        return new Promise(() => undefined);
      });
    }
  }

  /** Returns the document as it is now; throws with why it cannot be had. */
  async load(): Promise<ReportData> {
    const answer = await fetch(`${this.source}document${location.search}`, { cache: "no-cache" });
    if (answer.status === 401 || answer.status === 403) this.contact.value = "denied";
    if (!answer.ok) throw new Error(await problemOf(answer));
    this.cursor = answer.headers.get("pipestat-cursor") ?? "";
    const tag = answer.headers.get("etag");
    if (this.data === null || tag === null || tag !== this.tag || this.waiting.length) {
      this.data = (await answer.json()) as ReportData;
    }
    this.tag = tag;
    // They are in it.
    this.waiting = [];
    return this.data;
  }

  private lead(): void {
    this.leads = true;
    this.open();
  }

  private open(): void {
    this.close();
    this.stream = new EventSource(`${this.source}events?after=${encodeURIComponent(this.cursor)}`);
    for (const kind of KINDS) {
      this.stream.addEventListener(kind, (event: MessageEvent<string>) => {
        const heard = { kind, id: event.lastEventId, data: event.data };
        if (this.leads) this.channel.postMessage(heard);
        this.receive(heard);
      });
    }
    this.stream.onerror = () => this.lose();
  }

  private close(): void {
    this.stream?.close();
    this.stream = null;
  }

  private receive({ kind, id, data }: Heard): void {
    this.heard = performance.now();
    this.heardAt.value = new Date().toISOString();
    this.contact.value = "live";
    if (id) this.cursor = id;
    if (kind === "trouble") {
      this.trouble.value = (JSON.parse(data) as { problem: string }).problem;
    } else if (kind === "reset") {
      this.trouble.value = null;
      this.reload();
    } else if (kind === "change") {
      this.trouble.value = null;
      this.waiting.push(JSON.parse(data) as Change);
      clearTimeout(this.flushTimer);
      this.flushTimer = window.setTimeout(() => this.flush(), GATHER);
    }
  }

  private flush(): void {
    const changes = this.waiting;
    if (!this.data || !changes.length) return;
    // Of some records only the server knows which ones belong there.
    if (this.data.part) return this.reload();
    this.waiting = [];
    this.tag = null;
    this.data = changes.reduce(mergeChange, this.data);
    this.show(this.data);
  }

  /** Reads the document again, and once more when that was asked for meanwhile. */
  private reload(): void {
    this.again = true;
    this.reloading ??= (async () => {
      while (this.again) {
        this.again = false;
        await this.poll();
        await new Promise((resolve) => setTimeout(resolve, RELOAD));
      }
      this.reloading = null;
    })();
  }

  private async poll(): Promise<boolean> {
    this.polled = performance.now();
    const before = this.data;
    try {
      const data = await this.load();
      if (data !== before) this.show(data);
      this.heardAt.value = new Date().toISOString();
      return true;
    } catch {
      return false;
    }
  }

  private lose(): void {
    if (this.contact.value === "live") this.contact.value = "lost";
  }

  /** Looks whether the stream is alive; in its place asks by itself. */
  private watch(): void {
    const now = performance.now();
    if (now - this.heard > SILENCE) {
      this.heard = now;
      this.lose();
      this.open();
    }
    if (this.contact.value === "live" || now - this.polled < POLL) return;
    if (this.stream?.readyState === EventSource.CLOSED) this.open();
    void this.poll().then((answered) => {
      if (this.contact.value === "live") return;
      if (answered) this.contact.value = "polling";
      else if (this.contact.value === "polling") this.contact.value = "lost";
    });
  }
}

async function problemOf(answer: Response): Promise<string> {
  try {
    const { detail, hint } = (await answer.json()) as { detail: string; hint: string | null };
    return hint ? `${detail}; ${hint}` : detail;
  } catch {
    return `${answer.status} ${answer.statusText}`;
  }
}
