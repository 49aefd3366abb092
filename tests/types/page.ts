// What a typed page writes; compiled, never run. A line after `@ts-expect-error` has to be refused.
import type { Afterword, AfterwordAttributes } from "../../widget/afterword";

(window.afterword = window.afterword || []).push(
  (afterword) => afterword.setMetadata({ pieces: "8" }),
  ["open", "checkout"],
  ["on", "submitted", (event) => console.log(event.detail.survey)],
);

export async function ask(afterword: Afterword): Promise<void> {
  const same: Afterword = await afterword.ready;
  same.identify({ first_name: "Jef", email: null });
  same.setLanguage("nl");
  same.prefill({ recommend: 9, again: true, found: ["web"], why: new URLSearchParams("").get("why") });
  same.consent();
  const heard = (event: CustomEvent<{ survey: string; answered: boolean }>): void => {
    const answered: boolean = event.detail.answered;
    console.log(answered);
  };
  same.on("closed", heard);
  same.off("closed", heard);
  await same.open("checkout");
  same.close();
  same.destroy("checkout");
  // @ts-expect-error a survey has an id
  same.open();
  // @ts-expect-error there is no such event
  same.on("opened", () => {});
  // @ts-expect-error events carry no words
  same.on("answered", (event) => event.detail.text);
  // @ts-expect-error metadata are texts
  same.setMetadata({ pieces: 8 });
  // @ts-expect-error a person has no such name
  same.identify({ name: "Jef" });
}

document.addEventListener("afterword:answered", (event) => {
  const step: number = event.detail.step;
  console.log(step, event.detail.question);
});

export const element: HTMLElement = document.createElement("afterword-survey");
export const attributes: AfterwordAttributes = { survey: "checkout", mode: "popover", "meta-pieces": "3" };
// @ts-expect-error there is no such mode
export const wrong: AfterwordAttributes = { survey: "checkout", mode: "popup" };
