import { everything, type LabelSelector } from '@gatehouse/core/label-selector';
import type { RejectedServer } from '@gatehouse/core/resources/kinds';
import { defaultPolicies, type ServerSpec } from '@gatehouse/core/resources/kinds/linkerd';
import { type Fields, hasOnly, readable } from './fields.ts';
import { readSelector } from './label-selector.ts';
import { isObjectName } from './meta.ts';
import { readPortOrName } from './port-selector.ts';
import { policyParser, type Wire } from './read.ts';

const protocols = ['unknown', 'HTTP/1', 'HTTP/2', 'gRPC', 'opaque', 'TLS'] as const;

/** What came with which version (semantics §1.11). */
const selectsExternalWorkloads: ReadonlySet<string> = new Set(['v1beta2', 'v1beta3']);
const hasAccessPolicy: ReadonlySet<string> = new Set(['v1beta3']);

type Selectors = Pick<ServerSpec, 'podSelector' | 'externalWorkloadSelector'>;

const readSelectors = (spec: Fields, version: string): Selectors => {
  const pods = spec.fields('podSelector');
  const read = pods === undefined ? undefined : readSelector(pods);
  if (!selectsExternalWorkloads.has(version)) {
    spec.need('podSelector', 'say which pods; {} means all of the namespace');
    return { podSelector: read };
  }
  const external = spec.fields('externalWorkloadSelector');
  const externalWorkloadSelector = external && readSelector(external);
  if (spec.has('podSelector') && spec.has('externalWorkloadSelector')) {
    spec.refuseSelf('both podSelector and externalWorkloadSelector', 'keep one of the two');
  } else if (!spec.has('externalWorkloadSelector')) {
    spec.need('podSelector', 'say which pods; {} means all of the namespace');
  }
  return { podSelector: read, ...(externalWorkloadSelector && { externalWorkloadSelector }) };
};

const readPort = (spec: Fields): ServerSpec['port'] | undefined =>
  spec.need('port', 'a number, or the name of a container port') ? readPortOrName(spec, 'port') : undefined;

const readProtocol = (spec: Fields): ServerSpec['proxyProtocol'] =>
  spec.oneOf('proxyProtocol', protocols) ?? 'unknown';

const readSpec = (spec: Fields, version: string): ServerSpec | undefined => {
  const selectors = readSelectors(spec, version);
  const port = readPort(spec);
  const proxyProtocol = readProtocol(spec);
  const accessPolicy = hasAccessPolicy.has(version) ? spec.oneOf('accessPolicy', defaultPolicies) : undefined;
  if (!hasAccessPolicy.has(version) && spec.has('accessPolicy')) {
    spec.refuse('accessPolicy', `unknown to ${version}`, 'write apiVersion: policy.linkerd.io/v1beta3');
  }
  spec.close();
  return port === undefined
    ? undefined
    : { ...selectors, port, proxyProtocol, accessPolicy: accessPolicy ?? 'deny' };
};

const specFields = [
  'podSelector',
  'externalWorkloadSelector',
  'port',
  'proxyProtocol',
  'accessPolicy',
] as const;

/**
 * Undefined where nobody can say: it cannot be read; or it is not there while a field that nobody knows may be it, or while
 * fields that must be there are not there either.
 */
const protocolOf = (spec: Fields): ServerSpec['proxyProtocol'] | undefined => {
  const isWhole = spec.has('port') && (spec.has('podSelector') || spec.has('externalWorkloadSelector'));
  if (!spec.has('proxyProtocol') && !(isWhole && hasOnly(spec, specFields))) return undefined;
  return readable(spec, (alone) => readProtocol(alone));
};

const selectorIn = (
  spec: Fields,
  name: 'podSelector' | 'externalWorkloadSelector',
): LabelSelector | undefined =>
  readable(spec, (alone) => {
    const fields = alone.fields(name);
    return fields === undefined ? undefined : readSelector(fields);
  });

const rejectServer = (spec: Fields, { meta, unread }: Wire): Omit<RejectedServer, 'rejected'> => {
  const selectsOthers = spec.has('externalWorkloadSelector');
  const selector = selectorIn(spec, 'podSelector');
  const port = readable(spec, readPort);
  const isClear = selector !== undefined && port !== undefined && !selectsOthers;
  return {
    closes: {
      selector: selector ?? everything,
      ports: selectsOthers && !spec.has('podSelector') ? [] : port === undefined ? 'all' : [port],
    },
    // One that names neither may mean either.
    closesExternal: {
      selector: selectorIn(spec, 'externalWorkloadSelector') ?? everything,
      ports: spec.has('podSelector') && !selectsOthers ? [] : port === undefined ? 'all' : [port],
    },
    // Of one without an age nobody can say whether it comes before the others.
    governs: isClear && !unread.includes('creationTimestamp') ? 'surely' : 'perhaps',
    // Routes are attached by name: of a Server without one nobody can say which requests have a route.
    proxyProtocol: isObjectName(meta.name) ? protocolOf(spec) : undefined,
  };
};

export const serverParser = policyParser({
  read: (spec, { version }) => readSpec(spec, version),
  closes: rejectServer,
});
