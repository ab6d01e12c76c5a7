import type { WireObject } from '@gatehouse/platform/kube/parse/fields';

export const kind = 'NetworkAuthenticationPolicy';

/** The target of the seed manifest. */
export const backend = { target: { selector: { matchLabels: { app: 'backend' } } } };

/** The spec of the seed manifest, as it is written. */
export const seed = {
  ...backend,
  ports: [{ port: 8080 }],
  sources: [{ podSelector: { matchLabels: { app: 'frontend' } } }],
};

/** The same for the requests of one rule. */
export const rule = (fields: WireObject): WireObject => ({ ...seed, rules: [fields] });
