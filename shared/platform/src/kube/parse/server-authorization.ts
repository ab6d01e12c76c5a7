import type { ServerAuthorizationSpec } from '@gatehouse/core/resources/kinds/linkerd';
import { intern } from '../intern.ts';
import { describe, type Fields } from './fields.ts';
import { readIdentities } from './identity-match.ts';
import { readSelector } from './label-selector.ts';
import { isObjectName } from './meta.ts';
import { readNetworks } from './network-match.ts';
import { closesNothing, policyParser } from './read.ts';
import { readServiceAccount } from './service-account-ref.ts';

type Clients = ServerAuthorizationSpec['clients'];

const readServer = (server: Fields): ServerAuthorizationSpec['server'] | undefined => {
  const name = server.text('name');
  const labels = server.fields('selector');
  const selector = labels === undefined ? undefined : readSelector(labels);
  server.close();
  if (server.has('name') === server.has('selector')) {
    const found = server.has('name') ? 'both name and selector' : 'neither name nor selector';
    return server.refuseSelf(found, 'write one of the two');
  }
  if (selector !== undefined) return { kind: 'labels', selector };
  if (name === undefined) return undefined;
  return isObjectName(name)
    ? { kind: 'name', name: intern(name) }
    : server.refuse(
        'name',
        `${describe(name)} is not a valid Server's name`,
        'lower-case letters, digits, `-`, `.`',
      );
};

const readMeshTls = (tls: Fields, namespace: string): Clients | undefined => {
  const withoutIdentity = tls.flag('unauthenticatedTLS') ?? false;
  const identities = readIdentities(tls, 'identities') ?? [];
  const serviceAccounts =
    tls.eachFields('serviceAccounts', (ref) => readServiceAccount(ref, namespace)) ?? [];
  tls.close();
  const named = identities.length + serviceAccounts.length > 0;
  if (withoutIdentity && named) {
    return tls.refuseSelf(
      'unauthenticatedTLS beside identities or serviceAccounts',
      'it admits everybody: keep one of the two',
    );
  }
  if (withoutIdentity) return { kind: 'tls' };
  return named ? { kind: 'identities', identities, serviceAccounts } : undefined;
};

const readClients = (client: Fields, namespace: string): Clients | undefined => {
  const unauthenticated = client.flag('unauthenticated') ?? false;
  const tls = client.fields('meshTLS');
  const before = client.problems.length;
  const meshed = tls === undefined ? undefined : readMeshTls(tls, namespace);
  if (unauthenticated && tls !== undefined) {
    return client.refuseSelf('unauthenticated beside meshTLS', 'it admits everybody: keep one of the two');
  }
  if (unauthenticated) return { kind: 'unauthenticated' };
  if (meshed !== undefined || client.problems.length > before) return meshed;
  return client.refuseSelf('it admits nobody', 'say unauthenticated, or whom meshTLS admits');
};

const readSpec = (spec: Fields, namespace: string): ServerAuthorizationSpec | undefined => {
  const servers = spec.need('server', 'name a Server, or select some by their labels')
    ? spec.fields('server')
    : undefined;
  const client = spec.need('client', 'say who may call') ? spec.fields('client') : undefined;
  spec.close();
  const server = servers === undefined ? undefined : readServer(servers);
  if (client === undefined) return undefined;
  const networks = readNetworks(client, 'networks');
  const clients = readClients(client, namespace);
  client.close();
  if (server === undefined || clients === undefined) return undefined;
  return { server, networks: networks?.length === 0 ? undefined : networks, clients };
};

export const serverAuthorizationParser = policyParser<ServerAuthorizationSpec>({
  read: (spec, { meta }) => readSpec(spec, meta.namespace),
  closes: () => closesNothing,
});
