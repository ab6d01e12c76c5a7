import { everything } from '@gatehouse/core/label-selector';
import { defaultPolicies, type ServerSpec } from '@gatehouse/core/resources/kinds/linkerd';
import { type Fields, readable } from './fields.ts';
import { readSelector } from './label-selector.ts';
import { readPortOrName } from './port-selector.ts';
import { policyDoor } from './read.ts';

const protocols = ['unknown', 'HTTP/1', 'HTTP/2', 'gRPC', 'opaque', 'TLS'] as const;

/** What came with which version (semantics §1.11). */
const selectsExternalWorkloads: ReadonlySet<string> = new Set(['v1beta2', 'v1beta3']);
const hasAccessPolicy: ReadonlySet<string> = new Set(['v1beta3']);

const readSelectors = (spec: Fields, version: string): ServerSpec['podSelector'] => {
  const pods = spec.fields('podSelector');
  const read = pods === undefined ? undefined : readSelector(pods);
  if (!selectsExternalWorkloads.has(version)) {
    spec.need('podSelector', 'say which pods; {} means all of the namespace');
    return read;
  }
  const external = spec.fields('externalWorkloadSelector');
  if (external !== undefined) readSelector(external);
  if (spec.has('podSelector') && spec.has('externalWorkloadSelector')) {
    spec.refuseSelf('both podSelector and externalWorkloadSelector', 'keep one of the two');
  } else if (!spec.has('externalWorkloadSelector')) {
    spec.need('podSelector', 'say which pods; {} means all of the namespace');
  }
  return read;
};

const readPort = (spec: Fields): ServerSpec['port'] | undefined =>
  spec.need('port', 'a number, or the name of a container port') ? readPortOrName(spec, 'port') : undefined;

const readSpec = (spec: Fields, version: string): ServerSpec | undefined => {
  const podSelector = readSelectors(spec, version);
  const port = readPort(spec);
  const proxyProtocol = spec.oneOf('proxyProtocol', protocols) ?? 'unknown';
  const accessPolicy = hasAccessPolicy.has(version) ? spec.oneOf('accessPolicy', defaultPolicies) : undefined;
  if (!hasAccessPolicy.has(version) && spec.has('accessPolicy')) {
    spec.refuse('accessPolicy', `unknown to ${version}`, 'write apiVersion: policy.linkerd.io/v1beta3');
  }
  spec.close();
  return port === undefined
    ? undefined
    : { podSelector, port, proxyProtocol, accessPolicy: accessPolicy ?? 'deny' };
};

const selectsNoPods = (spec: Fields): boolean =>
  spec.has('externalWorkloadSelector') && !spec.has('podSelector');

export const serverDoor = policyDoor<ServerSpec>({
  read: (spec, { version }) => readSpec(spec, version),
  closes: (spec) => {
    const port = readable(spec, readPort);
    return {
      closes: {
        selector:
          readable(spec, (alone) => {
            const pods = alone.fields('podSelector');
            return pods === undefined ? undefined : readSelector(pods);
          }) ?? everything,
        ports: selectsNoPods(spec) ? [] : port === undefined ? 'all' : [port],
      },
    };
  },
});
