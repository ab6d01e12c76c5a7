import type { ServiceParent } from '@gatehouse/core/resources/kinds/gateway';
import { spend } from './budget.ts';
import { describe, type Fields } from './fields.ts';
import { type Parent, type RouteContext, readParent } from './http-route-parent.ts';

export const readParents = (spec: Fields, route: RouteContext): readonly Parent[] | undefined =>
  spec.eachFields('parentRefs', (ref) => readParent(ref, route));

export const serversOf = (parents: readonly Parent[]): readonly string[] => [
  ...new Set(parents.flatMap((parent) => (parent.kind === 'Server' ? [parent.name] : []))),
];

export const servicesOf = (parents: readonly Parent[]): readonly ServiceParent[] =>
  parents.flatMap((parent) =>
    parent.kind === 'Service'
      ? [
          {
            namespace: parent.namespace,
            name: parent.name,
            ...(parent.port === undefined ? {} : { port: parent.port }),
          },
        ]
      : [],
  );

/** A route whose parents are all another controller's, an ingress for instance, is not ours to judge. */
export const isElsewhere = (
  parents: readonly Parent[] | undefined,
  ours: readonly Parent['kind'][],
): boolean => parents !== undefined && parents.length > 0 && !parents.some(({ kind }) => ours.includes(kind));

const hostname = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

export const isHostName = (text: string): boolean => text.length <= 253 && hostname.test(text);

export const readHosts = (spec: Fields): readonly string[] =>
  spec.each('hostnames', (value, item) => {
    if (!spend(spec, 'hosts')) return undefined;
    return typeof value === 'string' && value.length <= 253 && isHostName(value.replace(/^\*\./, ''))
      ? value
      : spec.refuse(
          item,
          `${describe(value)} is not a host name`,
          'a lower-case DNS name, or one after `*.`',
        );
  }) ?? [];
