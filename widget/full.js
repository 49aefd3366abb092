// What few surveys ask of the browser in several steps at once; part of the glue of the module that knows them
// (widget/src/full.rs).

// Letters that are no letter with a mark, and how people write them who do not have them on their keys.
const PLAIN = { ł: "l", ø: "o", đ: "d", ð: "d", ħ: "h", ı: "i", ß: "ss", æ: "ae", œ: "oe", þ: "th", ς: "σ" };
const plain = (text) =>
  text
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[łøđðħıßæœþς]/g, (letter) => PLAIN[letter]);

// Leaves of a list what has every word of what is searched, whatever its case and accents; what is chosen stays in sight,
// and what takes words of the visitor's own. Gives how many have been found.
export const sift = (field) => {
  const words = plain(field.value).split(/\s+/);
  let found = 0;
  for (const option of field.closest("fieldset").querySelectorAll(".option")) {
    const text = plain(option.textContent);
    const fits = words.every((word) => text.includes(word));
    option.hidden = !fits && !option.querySelector(":checked, [data-other]");
    if (fits) found += 1;
  }
  return found;
};

// Says something beside the field that searches a list; the same is not said again.
export const report = (field, text) => {
  const found = field.closest("fieldset").querySelector(".found");
  if (found.textContent != text) found.textContent = text;
};

// Empties a field that searches, and says whether there was anything in it.
export const cleared = (field) => {
  const full = !!field.value;
  field.value = "";
  // Old libraries replace `Event` in their pages.
  if (full) field.dispatchEvent(new CustomEvent("input", { bubbles: true }));
  return full;
};

// The style sheets that a frame has put behind those of the widget, and their return; a frame is called as its card is.
export const frameOf = (root) => root.adoptedStyleSheets.slice(2);
export const frameAgain = (root, sheets) => {
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, ...sheets];
  const card = root.querySelector("[part=card]");
  const frame = card && card.closest("dialog");
  if (frame) frame.ariaLabel = card.ariaLabel;
};

// What stands in a list's field for the visitor's own words; empty where there is none.
export const ownWords = (field) => field.closest("fieldset").querySelector(".other input")?.value ?? "";

// A list as a language writes it: "a, b and c". Its parts come with a line end between them.
export const listed = (language, parts) => {
  const list = parts.split("\n");
  try {
    return new Intl.ListFormat(language).format(list);
  } catch {
    return list.join(", ");
  }
};

// Fetches a definition, and hands its text over; an empty one if that fails.
export const translated = (address, take) => {
  const load = async () => {
    const response = await fetch(address);
    return response.ok ? response.text() : "";
  };
  load().catch(String.bind(null, "")).then((text) => take(text));
};

// What the page says about the visitor, with what the visitor says in its place; both are JSON.
export const withContact = (said, contact) => {
  const all = JSON.parse(said);
  all.respondent = { ...all.respondent, ...JSON.parse(contact) };
  return JSON.stringify(all);
};
