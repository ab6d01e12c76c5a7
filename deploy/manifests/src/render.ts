import { toManifest } from '@gatehouse/crds/definition';
import { definitions } from '@gatehouse/crds/definitions';
import { configMap } from './objects/config-map.ts';
import { controlPlane } from './objects/control-plane.ts';
import { deployment, replicasOf } from './objects/deployment.ts';
import { disruptionBudget } from './objects/disruption-budget.ts';
import { injector } from './objects/injector.ts';
import type { KubeObject } from './objects/kube-object.ts';
import { namespace } from './objects/namespace.ts';
import { networkPolicy } from './objects/network-policy.ts';
import { rbac } from './objects/rbac.ts';
import { services } from './objects/services.ts';
import { type Trust, trustObjects } from './objects/trust.ts';
import { validator } from './objects/validator.ts';
import type { ReadValues } from './values/read-values.ts';

export interface RenderInput extends ReadValues {
  readonly trust: Trust;
  /** From `readShippedRbac`. */
  readonly shippedRbac: readonly KubeObject[];
}

/** The kinds that policies are written in. */
export const renderCrds = (): readonly KubeObject[] =>
  definitions.map((definition) => ({ ...toManifest(definition) }));

/**
 * The control plane, in an order in which each object finds what it needs. The same input gives the same objects. Throws
 * `invalid-argument` that names the values that do not go together.
 */
export const renderControlPlane = (input: RenderInput): readonly KubeObject[] => {
  const { values, trust, shippedRbac } = input;
  const several = controlPlane.filter((facts) => replicasOf(facts, values) > 1);
  return [
    namespace(values),
    ...rbac(shippedRbac, values),
    configMap(input),
    ...trustObjects(trust, values),
    ...controlPlane.flatMap((facts) => services(facts, values)),
    ...(values.networkPolicies ? controlPlane.map((facts) => networkPolicy(facts, values)) : []),
    ...several.map((facts) => disruptionBudget(facts, values)),
    ...controlPlane.map((facts) => deployment(facts, values)),
    // Last: from here on the API server asks about every new pod.
    ...(values.injector.enabled ? [...injector(values), validator(values)] : []),
  ];
};
