"use strict";
(() => {
  const root = document.documentElement;
  const items = Array.from(document.querySelectorAll(".item"));
  const turns = Array.from(document.querySelectorAll(".turn"));
  const search = document.getElementById("search");
  const found = document.getElementById("found");
  const keys = document.getElementById("keys");
  const buttons = Array.from(document.querySelectorAll("[data-filter]"));
  const texts = new Map();
  let filter = "all";
  let here = null;
  let timer = 0;

  const textOf = (item) => {
    if (!texts.has(item)) texts.set(item, item.textContent.toLowerCase());
    return texts.get(item);
  };
  const passes = (item, words) =>
    (filter === "all" || (filter === "bad" ? "bad" in item.dataset : item.dataset.kind === filter)) &&
    words.every((word) => textOf(item).includes(word));

  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const item of items) {
      item.hidden = !passes(item, words);
      shown += item.hidden ? 0 : 1;
    }
    for (const turn of turns) turn.hidden = !turn.querySelector(".item:not([hidden])");
    const whole = filter === "all" && !words.length;
    found.textContent = whole ? "" : `${shown} of ${items.length} steps`;
  };

  const choose = (name) => {
    filter = name;
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.filter === name));
    apply();
  };

  const go = (item, open) => {
    if (!item) return;
    if (here) here.classList.remove("here");
    here = item;
    item.classList.add("here");
    if (open) item.open = true;
    item.scrollIntoView({ block: "nearest" });
    item.querySelector("summary").focus({ preventScroll: true });
  };

  const move = (step, wanted) => {
    const shown = items.filter((item) => !item.hidden && (!wanted || wanted(item)));
    if (!shown.length) return null;
    if (!here) return step > 0 ? shown[0] : shown[shown.length - 1];
    const order = (item) => here.compareDocumentPosition(item);
    const after = shown.filter((item) => order(item) & Node.DOCUMENT_POSITION_FOLLOWING);
    const before = shown.filter((item) => order(item) & Node.DOCUMENT_POSITION_PRECEDING);
    if (step > 0) return after[0] || (wanted ? shown[0] : here);
    return before[before.length - 1] || (wanted ? shown[shown.length - 1] : here);
  };
  const bad = (item) => "bad" in item.dataset;

  const foldAll = () => {
    const shown = items.filter((item) => !item.hidden);
    const open = shown.some((item) => !item.open);
    for (const item of shown) item.open = open;
    document.getElementById("fold").textContent = open ? "fold" : "unfold";
  };

  const turnLight = () => {
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : window.matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  };

  // A step is called by its first event; an event within it leads there too.
  const named = (name) => {
    const seq = (id) => (/^e\d+$/.test(id) ? Number(id.slice(1)) : NaN);
    return document.getElementById(name) || items.filter((item) => seq(item.id) <= seq(name)).pop();
  };

  const follow = () => {
    const item = named(location.hash.slice(1));
    if (!item || !item.classList.contains("item")) return;
    if (item.hidden) {
      search.value = "";
      choose("all");
    }
    go(item, true);
  };

  const actions = {
    j: () => go(move(1)),
    k: () => go(move(-1)),
    f: () => go(move(1, bad), true),
    F: () => go(move(-1, bad), true),
    e: foldAll,
    t: turnLight,
    "/": () => search.focus(),
    "?": () => keys.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || keys.open) return;
    if (event.target === search) {
      if (event.key === "Escape") search.blur();
      if (event.key === "Enter") {
        event.preventDefault();
        go(move(1), true);
      }
      return;
    }
    const number = "12345".indexOf(event.key);
    if (number >= 0 && event.key) choose(buttons[number].dataset.filter);
    else if (actions[event.key]) actions[event.key]();
    else return;
    event.preventDefault();
  });
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(apply, 80);
  });
  for (const button of buttons) button.addEventListener("click", () => choose(button.dataset.filter));
  document.getElementById("next").addEventListener("click", () => go(move(1, bad), true));
  document.getElementById("fold").addEventListener("click", foldAll);
  document.getElementById("theme").addEventListener("click", turnLight);
  document.getElementById("help").addEventListener("click", () => keys.showModal());
  document.querySelector("main").addEventListener("click", (event) => {
    const item = event.target.closest("summary") && event.target.closest(".item");
    if (!item) return;
    if (here) here.classList.remove("here");
    here = item;
    item.classList.add("here");
  });
  document.getElementById("next").hidden = !items.some(bad);
  window.addEventListener("hashchange", follow);
  follow();
  root.dataset.ready = "true";
})();
