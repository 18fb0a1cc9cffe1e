// Text whose contrast with what lies behind it is below 4.5 (WCAG 2.2, success criterion 1.4.3), as [text, ratio].
function channels(colour) {
  const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
  return {red, green, blue, alpha};
}
function luminance({red, green, blue}) {
  const linear = [red, green, blue].map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
}
function behind(element) {
  const box = element.closest("svg g")?.querySelector("rect:last-of-type");
  if (box) return channels(getComputedStyle(box).fill);
  for (let one = element; one; one = one.parentElement) {
    const colour = channels(getComputedStyle(one).backgroundColor);
    if (colour.alpha === 1) return colour;
  }
  return channels("rgb(255, 255, 255)");
}
function ratio(element) {
  const style = getComputedStyle(element);
  const text = channels(element.closest("svg") ? style.fill : style.color);
  const [light, dark] = [luminance(text), luminance(behind(element))].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const found = [];
let seen = 0;
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || element.matches("title, desc") || !element.checkVisibility()) continue;
  seen += 1;
  if (ratio(element) < 4.5) found.push([walker.currentNode.data.trim().slice(0, 40), ratio(element)]);
}
return {seen, found};
