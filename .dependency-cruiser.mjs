/** The import directions of the house: one way, from the edges to the domain. */
const LAYERS = {
  domain: [],
  openflow: [],
  generated: [],
  store: ["domain", "generated"],
  services: ["domain", "store", "generated"],
  api: ["domain", "services"],
  pipeline: ["domain", "openflow"],
  backends: ["domain", "openflow", "pipeline"],
  reconcile: ["domain", "store", "backends/backend", "generated"],
};

const layerRules = Object.entries(LAYERS).map(([layer, allowed]) => ({
  name: `${layer}-imports-one-way`,
  severity: "error",
  comment: `src/${layer} may import only: ${[layer, ...allowed].join(", ")}`,
  from: { path: `^src/${layer}/` },
  to: {
    path: "^src/",
    pathNot: [layer, ...allowed].map((name) => `^src/${name}(/|\\.ts$)`),
  },
}));

export default {
  forbidden: [
    ...layerRules,
    {
      name: "scripts-import-what-is-there",
      severity: "error",
      comment: "No compiler looks at the scripts; dist/ is there once it was built.",
      from: { path: "^scripts/" },
      to: { couldNotResolve: true, pathNot: "/dist/" },
    },
    {
      name: "no-cycles",
      severity: "error",
      from: { pathNot: "^src/generated/" },
      to: { circular: true, viaOnly: { pathNot: "^src/generated/" } },
    },
    {
      name: "openapi-stays-in-the-api",
      severity: "error",
      from: { path: "^src/(domain|services|store|pipeline|openflow|backends|reconcile)/" },
      to: { path: "node_modules/(fastify|@fastify|fastify-type-provider-zod)" },
    },
    {
      name: "execa-behind-one-seam",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/backends/ovs/" },
      to: { path: "node_modules/execa" },
    },
    {
      name: "no-development-packages-at-run-time",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev"] },
    },
    {
      name: "no-unresolvable",
      severity: "error",
      from: { path: "^src/" },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "types", "default"],
    },
  },
};
