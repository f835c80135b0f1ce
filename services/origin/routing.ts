/** The roles that answer on the one origin. */
export const upstreamRoles = ['order-commands', 'order-queries', 'inventory', 'projector'] as const;
export type UpstreamRole = (typeof upstreamRoles)[number];

type Rule = { readonly methods: readonly string[]; readonly path: RegExp; readonly to: UpstreamRole };

export const proxiedMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
const reading: readonly string[] = ['GET', 'HEAD'];

/**
 * Who answers what, the first that fits: what changes an order goes to those who decide it, what asks goes to those who
 * read. A test compares it with the routes that each role brings.
 */
const rules: readonly Rule[] = [
  { methods: proxiedMethods, path: /^\/v1\/stock(\/|$)/, to: 'inventory' },
  { methods: proxiedMethods, path: /^\/v1\/admin(\/|$)/, to: 'projector' },
  // Whether a command would be accepted now is known where it is decided.
  { methods: reading, path: /^\/v1\/orders\/[^/]+\/actions$/, to: 'order-commands' },
  { methods: reading, path: /^\/v1(\/|$)/, to: 'order-queries' },
];

/** @param path as the client sent it, without its query */
export function roleOf(method: string, path: string): UpstreamRole {
  return rules.find((rule) => rule.methods.includes(method) && rule.path.test(path))?.to ?? 'order-commands';
}
