// Improves what works already without it: the radar lights up with its list, a tap shows the sentence before the page.
const figure = document.querySelector(".radar-figure");
if (figure) {
  const card = figure.querySelector(".card");
  const rowOf = (blip) => document.getElementById("t-" + blip.dataset.trend);
  const light = (blip, on) => {
    blip.classList.toggle("lit", on);
    rowOf(blip)?.classList.toggle("lit", on);
  };
  const tell = (blip) => {
    const link = document.createElement("a");
    const [name, ...rest] = blip.querySelector("title").textContent.split(" · ");
    link.href = blip.getAttribute("href");
    link.textContent = name;
    card.replaceChildren(link, document.createElement("br"), rest.join(" · "));
    card.hidden = false;
  };
  let touched = null;
  for (const blip of figure.querySelectorAll(".blip")) {
    for (const [name, on] of [["pointerenter", true], ["focus", true], ["pointerleave", false], ["blur", false]]) {
      blip.addEventListener(name, () => {
        light(blip, on);
        if (on) tell(blip);
      });
    }
    blip.addEventListener("pointerdown", (event) => {
      touched = event.pointerType === "touch" ? blip : null;
    });
    blip.addEventListener("click", (event) => {
      if (touched === blip && figure.dataset.shown !== blip.dataset.trend) event.preventDefault();
      figure.dataset.shown = blip.dataset.trend;
    });
    const row = rowOf(blip);
    row?.addEventListener("pointerenter", () => light(blip, true));
    row?.addEventListener("pointerleave", () => light(blip, false));
  }
}

// A menu of languages closes when one looks elsewhere.
const languages = document.querySelector(".languages");
document.addEventListener("click", (event) => {
  if (languages?.open && !languages.contains(event.target)) languages.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && languages?.open) {
    languages.open = false;
    languages.querySelector("summary").focus();
  }
});
