import type { PodSpec } from '../resources/kinds/kubernetes.ts';

/** A port by number, inclusive range, or container-port name. */
export type PortSelector =
  | { readonly kind: 'range'; readonly first: number; readonly last: number }
  | { readonly kind: 'name'; readonly name: string };

/** Whether one of the selectors names a pod's port; a name stands for all container ports that bear it. */
export const namesPort = (
  selectors: readonly PortSelector[],
  port: number,
  pod: Pick<PodSpec, 'ports'>,
): boolean => selectors.some((selector) => isNamed(selector, port, pod));

const isNamed = (selector: PortSelector, port: number, { ports }: Pick<PodSpec, 'ports'>): boolean => {
  switch (selector.kind) {
    case 'range':
      return selector.first <= port && port <= selector.last;
    case 'name':
      return ports.some((declared) => declared.name === selector.name && declared.port === port);
  }
};

/**
 * The port of a pod to which a Service's target port leads: a number, or the first container port of that name, which may
 * be another number on every pod. Undefined for a pod that has no port of this name.
 */
export const targetPortOn = (
  { ports }: Pick<PodSpec, 'ports'>,
  targetPort: number | string,
): number | undefined =>
  typeof targetPort === 'number'
    ? targetPort
    : ports.find(({ name, init }) => name === targetPort && init === undefined)?.port;
