import type { ExternalWorkloadSpec } from '@gatehouse/core/resources/kinds/linkerd';
import { intern } from '../intern.ts';
import type { Fields } from './fields.ts';
import { readAddress } from './ip-list.ts';
import { type Read, readCore, type Wire } from './read.ts';

/** The versions spell one field differently. */
const tlsField = (version: string): string => (version === 'v1alpha1' ? 'meshTls' : 'meshTLS');

const readPort = (item: Fields): ExternalWorkloadSpec['ports'][number] | undefined => {
  const name = item.text('name') ?? '';
  const port = item.need('port', 'a number from 1 to 65535') ? item.port('port') : undefined;
  const protocol = item.oneOf('protocol', ['TCP', 'UDP']) ?? 'TCP';
  item.close();
  return port === undefined || protocol !== 'TCP' ? undefined : { name: intern(name), port };
};

const readIp = (item: Fields): string | undefined => {
  const ip = item.has('ip') ? readAddress(item, 'ip', item.raw('ip')) : undefined;
  item.close();
  return ip;
};

const isReady = (body: Fields): boolean =>
  body
    .part('status')
    .eachFields('conditions', (condition) => ({
      type: condition.text('type'),
      status: condition.text('status'),
    }))
    ?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;

/** With several owners it is not known which one people would name. */
const readOwner = (metadata: Fields): ExternalWorkloadSpec['owner'] => {
  const owners = metadata.eachFields('ownerReferences', (owner) => ({
    kind: intern(owner.text('kind') ?? ''),
    name: intern(owner.text('name') ?? ''),
  }));
  const [owner, ...others] = owners ?? [];
  return owner === undefined || others.length > 0 || owner.kind === '' || owner.name === ''
    ? undefined
    : owner;
};

export const parseExternalWorkload = (wire: Wire): Read<ExternalWorkloadSpec> =>
  readCore(wire, (body) => {
    const spec = body.part('spec');
    const tls = spec.part(tlsField(wire.version));
    const identity = tls.need('identity', 'the identity that its certificate holds')
      ? tls.text('identity')
      : '';
    const serverName = tls.need('serverName', 'the name that it ends TLS for') ? tls.text('serverName') : '';
    const before = spec.problems.length;
    const ports = spec.eachFields('ports', readPort) ?? [];
    const isWhole = spec.problems.length === before;
    const ips = spec.eachFields('workloadIPs', readIp) ?? [];
    const owner = readOwner(body.part('metadata'));
    tls.close();
    spec.close();
    return {
      identity: intern(identity ?? ''),
      serverName: intern(serverName ?? ''),
      ips: [...new Set(ips)],
      ports,
      ...(isWhole ? {} : { unreadPorts: true as const }),
      ready: isReady(body),
      ...(owner === undefined ? {} : { owner }),
    };
  });
