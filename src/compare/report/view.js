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
  const tone = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  // addModels returns all models of the viewer, not those it added
  let known = 0;
  const sides = ["run", "reference"].map(name => {
    const all = view.addModels(document.getElementById("models-" + name).textContent, "pdb");
    const own = all.slice(known);
    known = all.length;
    return own;
  });
  const residues = new Set(sides[0][0].selectedAtoms({ atom: "CA" }).map(atom => atom.chain + atom.resi));
  const show = chosen => {
    sides.forEach((models, side) => models.forEach(model => {
      const name = ["run", "reference"][side];
      const color = chosen === "both" ? { color: tone("--" + name) } : { colorfunc: byRmsf };
      const style = residues.size < 10
        ? { stick: { radius: 0.08, ...color } }
        : { cartoon: { ...color }, line: { ...color, hidden: true } };
      if (chosen === "both" || chosen === name) { model.show(); model.setStyle({}, style); } else { model.hide(); }
    }));
    document.querySelector(".scale").style.visibility = chosen === "both" ? "hidden" : "visible";
    view.render();
  };
  document.querySelectorAll("input[name=side]").forEach(input =>
    input.addEventListener("change", () => show(input.value)));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
    show(document.querySelector("input[name=side]:checked").value));
  show("both");
  view.zoomTo();
  view.render();
})();
