import type { Values } from '../values/value-fields.ts';
import { type ServiceFacts, selectorOf } from './control-plane.ts';
import type { KubeObject } from './kube-object.ts';

/** Nodes that are drained take one pod of a service after the other. Of a single pod it would only keep its node from being drained. */
export const disruptionBudget = (facts: ServiceFacts, values: Values): KubeObject => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: facts.name, namespace: values.namespace, labels: selectorOf(facts) },
  spec: { maxUnavailable: 1, selector: { matchLabels: selectorOf(facts) } },
});
