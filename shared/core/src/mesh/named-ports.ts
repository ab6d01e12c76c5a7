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
