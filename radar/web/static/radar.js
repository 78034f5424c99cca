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

// On a phone the menu scrolls sideways: to where one is.
for (const current of document.querySelectorAll(".menu [aria-current], nav.row [aria-current]")) {
  const menu = current.parentElement;
  menu.scrollLeft = current.offsetLeft - menu.offsetLeft - (menu.clientWidth - current.clientWidth) / 2;
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

// Charts that are drawn already come to life once they are seen: values under the pointer. Vega runs as an interpreter
// of its own syntax tree (ast), so that the page needs no right to make code from text.
const charts = [...document.querySelectorAll(".chart[data-spec]")];
const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
async function enliven(figure) {
  try {
    const [answer] = await Promise.all([fetch(figure.dataset.spec), import("/assets/vega.js")]);
    if (!answer.ok) return;
    const spec = await answer.json();
    const axis = { labelColor: ink("--mute"), titleColor: ink("--mute"), gridColor: ink("--line"), domainColor: ink("--mute"), tickColor: ink("--line") };
    Object.assign(spec.config.axis, axis);
    spec.config.background = "transparent";
    const { observed, expected, usual, tested } = spec.config.style;
    observed.color = tested.color = ink("--accent");
    expected.color = ink("--ink");
    usual.color = ink("--mute");
    delete spec.title;
    const place = document.createElement("div");
    place.className = "live";
    const still = [...figure.children].filter((child) => child.tagName !== "FIGCAPTION");
    figure.prepend(place);
    await globalThis.vegaEmbed(place, spec, {
      ast: true, actions: false, defaultStyle: false, renderer: "canvas", tooltip: { disableDefaultStyle: true },
    });
    place.setAttribute("role", "img");
    const drawn = figure.querySelector("svg.curve, img.still");
    place.setAttribute("aria-label", drawn.getAttribute("aria-label") ?? drawn.alt);
    for (const child of still) child.toggleAttribute("hidden", true);
    figure.dataset.live = "yes";
  } catch (error) {
    figure.querySelector(".live")?.remove();
    console.info("The chart stays as it was drawn:", error);
  }
}
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    seen.unobserve(entry.target);
    enliven(entry.target);
  }
});
for (const figure of charts) seen.observe(figure);
