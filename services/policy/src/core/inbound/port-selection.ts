import type { PortSelector } from '@gatehouse/shared/kube/kinds';
import type { Workload } from './model.ts';

/** Inbound, control (tap) and admin: the ports that a proxy itself listens on. */
export const proxyPorts = { inbound: 4143, control: 4190, admin: 4191 } as const;

/** Whether one of the selectors names the port; a name stands for all container ports that bear it. */
export const namesPort = (
  selectors: readonly PortSelector[],
  port: number,
  workload: Pick<Workload, 'ports'>,
): boolean => selectors.some((selector) => isNamed(selector, port, workload));

const isNamed = (selector: PortSelector, port: number, { ports }: Pick<Workload, 'ports'>): boolean => {
  switch (selector.kind) {
    case 'range':
      return selector.first <= port && port <= selector.last;
    case 'name':
      return ports.some((declared) => declared.name === selector.name && declared.port === port);
  }
};

export const isProxyPort = (port: number): boolean =>
  port === proxyPorts.inbound || port === proxyPorts.control || port === proxyPorts.admin;
