(() => {
  const most = RMSF_MOST;
  // stiff to loose
  const stops = [[68, 1, 84], [33, 145, 140], [253, 231, 37]];
  const byRmsf = atom => {
    const share = Math.min(Math.max(atom.b / most, 0), 1) * 2;
    const [from, to] = [stops[Math.min(Math.floor(share), 1)], stops[Math.min(Math.floor(share), 1) + 1]];
    const rest = share - Math.min(Math.floor(share), 1);
    const [r, g, b] = from.map((value, k) => Math.round(value + rest * (to[k] - value)));
    return (r << 16) | (g << 8) | b;
  };
  const view = $3Dmol.createViewer("view", { backgroundAlpha: 0, antialias: true });
  document.getElementById("view").viewer = view;
  const tone = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  // addModels returns all models of the viewer, not those it added
  let known = 0;
  const sides = [...document.querySelectorAll("script.models")].map(text => {
    const all = view.addModels(text.textContent, "pdb");
    const models = all.slice(known);
    known = all.length;
    return { name: text.dataset.side, each: text.dataset.colours === "each", models };
  });
  const residues = new Set(sides[0].models[0].selectedAtoms({ atom: "CA" }).map(atom => atom.chain + atom.resi));
  const colour = (side, place, chosen) => {
    if (chosen === "both") return { color: tone("--" + side.name) };
    return side.each ? { color: tone("--cluster-" + (place + 1)) } : { colorfunc: byRmsf };
  };
  const show = chosen => {
    sides.forEach(side => side.models.forEach((model, place) => {
      const color = colour(side, place, chosen);
      const style = residues.size < 10
        ? { stick: { radius: 0.08, ...color } }
        : { cartoon: { ...color }, line: { ...color, hidden: true } };
      if (chosen === "both" || chosen === side.name) { model.show(); model.setStyle({}, style); } else { model.hide(); }
    }));
    const side = sides.find(side => side.name === chosen);
    document.querySelector(".scale").style.visibility = side && !side.each ? "visible" : "hidden";
    view.render();
  };
  const chosen = () => document.querySelector("input[name=side]:checked").value;
  document.querySelectorAll("input[name=side]").forEach(input =>
    input.addEventListener("change", () => show(input.value)));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => show(chosen()));
  show(chosen());
  view.zoomTo();
  view.render();
})();
