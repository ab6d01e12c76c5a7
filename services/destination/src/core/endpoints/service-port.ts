import type { KubeObject } from '@gatehouse/core/resources/kinds';

export const isHeadless = ({ spec }: KubeObject<'Service'>): boolean => spec.clusterIps.length === 0;

/** The names of a headless Service are its pods' own addresses, at which any port may be asked for. */
export const undeclaredPort = (service: KubeObject<'Service'>, port: number): number | undefined =>
  isHeadless(service) ? port : undefined;
