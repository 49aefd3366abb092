// A tab's button, alone on the page until it is pressed. A module of its own, which only pages load whose survey has
// that mode. The build puts tab.css in the place of the literal.
const sheet = new CSSStyleSheet();
sheet.replaceSync("__AFTERWORD_STYLE__");

// Where it was pressed before: when it comes back, so does a focus that went with what it had opened.
const pressed = new WeakSet();

// Gives what takes it away again. What it says is in the first wished language that there is.
export const tab = (root, labels, wish, open) => {
  root.adoptedStyleSheets = [sheet];
  // On a tag the words are plain; in the rules there is one pair for each language.
  const pairs = Array.isArray(labels) ? labels : [["", labels || "?"]];
  const spoken = wish.split(",").map((tag) => tag.split("-")[0]);
  const fits = spoken.map((tag) => pairs.find(([language]) => language == tag)).find(Boolean);
  const button = document.createElement("button");
  button.part = button.className = "tab";
  button.type = "button";
  // Within, since some engines write a button's own words across.
  const words = button.appendChild(document.createElement("span"));
  words.textContent = (fits || pairs[0])[1];
  button.onclick = () => {
    pressed.add(root);
    open();
  };
  root.append(button);
  if (pressed.has(root) && document.activeElement == document.body) button.focus({ preventScroll: true });
  return () => button.remove();
};
