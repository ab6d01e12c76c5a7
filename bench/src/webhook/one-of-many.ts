import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { aNetworkAuthenticationPolicy, labelled } from '@gatehouse/testing/builders';

/** Pods of 200 applications, a policy for each. */
export const connections = 2_000;
export const podsPerApp = 10;
export const apps = connections / podsPerApp;

/** The policy of one application in turn grants more or less than before to port 8080 of its pods. */
export const changeOf = (change: number): KubeObject<'NetworkAuthenticationPolicy'> => {
  const app = change % apps;
  const also =
    Math.floor(change / apps) % 2 === 0
      ? [{ podSelector: labelled({ app: `app-${(app + 2) % apps}` }) }]
      : [];
  return aNetworkAuthenticationPolicy({
    name: `to-app-${app}`,
    target: labelled({ app: `app-${app}` }),
    sources: [{ podSelector: labelled({ app: `app-${app + 1}` }) }, ...also],
  });
};

/** The pods that a change concerns, by number. */
export const podsOf = (change: number): readonly number[] =>
  Array.from({ length: podsPerApp }, (_, pod) => (change % apps) * podsPerApp + pod);
