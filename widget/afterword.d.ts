// Types of what Afterword puts on a page: `window.afterword`, <afterword-survey> and its events.
//
// Copy this file into your project, or fetch it from your server at /a/latest/afterword.d.ts.

/** Who answers. Sent along with the answers, where the visitor's browser does not object. */
export interface AfterwordPerson {
  first_name?: string | null;
  last_name?: string | null;
  email?: string | null;
  phone?: string | null;
  /** Your own name for this person. */
  id?: string | null;
}

/** Where a survey is; ids and numbers, never words of the visitor. */
export interface AfterwordStep {
  survey: string;
  /** The question's id; the last one's once everything was answered. */
  question: string;
  step: number;
  total: number;
}

/** The detail of each event, by its name without `afterword:`. */
export interface AfterwordEvents {
  /** The survey is on the page. */
  ready: AfterwordStep;
  /** The survey is on the page; comes with `ready`. */
  shown: AfterwordStep;
  /** A question was answered, and the visitor went on. */
  answered: AfterwordStep;
  /** The server has a submission on disk. */
  submitted: AfterwordStep;
  /** An overlay was closed. */
  closed: { survey: string; answered: boolean };
  /** The survey cannot be shown, or the server refused the answers. */
  error: { survey: string } & Partial<AfterwordStep>;
}

export type AfterwordListener<Name extends keyof AfterwordEvents> = (
  event: CustomEvent<AfterwordEvents[Name]>,
) => void;

/** A score, a text, yes or no, or the ids of options. */
export type AfterwordAnswer = number | string | boolean | string[];

export interface Afterword {
  /** Shows a survey now, whatever its rules say; kept once it is on the page, or has failed to be. */
  open(survey: string): Promise<void>;
  /** Closes an overlay; every one, without an id. */
  close(survey?: string): void;
  /** Takes a survey's elements from the page; every one, without an id. */
  destroy(survey?: string): void;
  /** Says who answers. Ignored under `navigator.globalPrivacyControl`. */
  identify(person: AfterwordPerson | undefined): void;
  /** Adds metadata, by the KEY of `meta-KEY`; an element's own attributes win. */
  setMetadata(metadata: Record<string, string>): void;
  /** Answers questions ahead, by their ids; an element's own `answer-ID` wins. Before the survey is shown. */
  prefill(answers: Record<string, AfterwordAnswer | null | undefined>): void;
  /** Shows every survey in a language, such as "nl". */
  setLanguage(language: string): void;
  /** Lets surveys begin that wait for consent (`data-consent="wait"`). */
  consent(): void;
  on<Name extends keyof AfterwordEvents>(event: Name, listener: AfterwordListener<Name>): void;
  off<Name extends keyof AfterwordEvents>(event: Name, listener: AfterwordListener<Name>): void;
  /** Kept once the page was read, and its tags have their surveys. */
  readonly ready: Promise<Afterword>;
  /** Runs calls; before the loader is there, the array in its place keeps them. */
  push(...calls: AfterwordCall[]): void;
}

type Method = "open" | "close" | "destroy" | "identify" | "setMetadata" | "prefill" | "setLanguage" | "consent" | "on" | "off";

/** A call that waits: a function of the API, or a method's name and its arguments. */
export type AfterwordCall =
  | ((afterword: Afterword) => void)
  | { [Name in Method]: [Name, ...Parameters<Afterword[Name]>] }[Method];

/** The attributes of <afterword-survey>. */
export interface AfterwordAttributes {
  survey: string;
  lang?: string;
  theme?: "light" | "dark";
  mode?: "inline" | "popover" | "modal" | "tab" | "none";
  position?: "bottom-end" | "bottom-start" | "top-end" | "top-start";
  consent?: "wait";
  [meta: `meta-${string}`]: string;
  [answer: `answer-${string}`]: string;
}

declare global {
  interface Window {
    /** The API once the loader has run; before, whatever array of calls the page made. */
    afterword?: Afterword | AfterwordCall[];
  }
  interface HTMLElementTagNameMap {
    "afterword-survey": HTMLElement;
  }
  interface DocumentEventMap {
    "afterword:ready": CustomEvent<AfterwordEvents["ready"]>;
    "afterword:shown": CustomEvent<AfterwordEvents["shown"]>;
    "afterword:answered": CustomEvent<AfterwordEvents["answered"]>;
    "afterword:submitted": CustomEvent<AfterwordEvents["submitted"]>;
    "afterword:closed": CustomEvent<AfterwordEvents["closed"]>;
    "afterword:error": CustomEvent<AfterwordEvents["error"]>;
  }
}
