// Sorts and filters plugins as the page of OctoPrint's plugin manager does. The functions are those of its own script,
// whose path is the argument. Reads the plugins of each site from stdin, and prints what failed where, as JSON.

"use strict";

const fs = require("node:fs");
const vm = require("node:vm");

// Stands for everything that the script asks of a browser: whatever is done with it gives it again.
const anything = new Proxy(function () {}, {
  get: (_, key) => (key === Symbol.toPrimitive ? () => "" : key === Symbol.iterator ? [][key].bind([]) : anything),
  apply: () => anything,
  construct: () => anything,
  set: () => true,
});

const helpers = {};
function ItemListHelper(name, sortings, filters) {
  Object.assign(this, { name, sortings, filters, currentFilters: anything });
  helpers[name] = this;
  return new Proxy(this, { get: (helper, key) => helper[key] ?? anything });
}

const models = [];
const page = {
  $: (what) => (typeof what === "function" ? what() : anything),
  ItemListHelper,
  OCTOPRINT_VIEWMODELS: models,
  gettext: (text) => text,
  ...Object.fromEntries(["_", "ko", "OctoPrint", "PNotify", "log", "document"].map((name) => [name, anything])),
};
page.window = page;
vm.runInNewContext(fs.readFileSync(process.argv[2], "utf8"), page);
for (const model of models) new model.construct(Array(16).fill(anything));

const { sortings, filters } = helpers["plugin.pluginmanager.repositoryplugins"];
const sites = JSON.parse(fs.readFileSync(0, "utf8"));
const faults = {};
for (const [site, plugins] of Object.entries(sites)) {
  faults[site] = [];
  const attempt = (what, run) => {
    try {
      return run();
    } catch (error) {
      faults[site].push(`${what}: ${error}`);
      return undefined;
    }
  };
  for (const [name, compare] of Object.entries(sortings)) {
    // A sort of one plugin compares nothing.
    for (const plugin of plugins) attempt(`${name} of ${plugin.id}`, () => compare(plugin, plugin));
    const sorted = attempt(name, () => [...plugins].sort(compare)) ?? [];
    for (let n = 1; n < sorted.length; n++) {
      if (compare(sorted[n - 1], sorted[n]) > 0) faults[site].push(`${name}: ${sorted[n].id} is not in its place`);
    }
  }
  for (const [name, filter] of Object.entries(filters)) {
    for (const plugin of plugins) attempt(`${name} of ${plugin.id}`, () => filter(plugin));
  }
}
process.stdout.write(JSON.stringify({ sortings: Object.keys(sortings), filters: Object.keys(filters), faults }));
