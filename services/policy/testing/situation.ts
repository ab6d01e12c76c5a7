import assert from 'node:assert/strict';
import { type Attempt, type ClientTls, evaluate } from '@gatehouse/core/inbound/evaluate-inbound';
import type { HttpRequest } from '@gatehouse/core/inbound/match-request';
import { identityOf, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import { portSet } from '@gatehouse/core/port-set';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { matchesWhole } from '@gatehouse/platform/kube/parse/proxy-regex';
import { aNamespace, aPod } from '@gatehouse/testing/builders';
import { ipOf } from '@gatehouse/testing/inbound-attempt';
import { aClusterConfig } from './a-cluster-config.ts';
import { compileSituation } from './compile-situation.ts';
import { decide } from './decide/decide.ts';
import type { Situation } from './decide/situation.ts';

/** The seed's three pods: one identity, three addresses. */
export const frontend = aPod({ name: 'frontend', labels: { app: 'frontend' }, ips: ['10.0.0.1'] });
export const intruder = aPod({ name: 'intruder', labels: { app: 'intruder' }, ips: ['10.0.0.2'] });
export const backend = aPod({
  name: 'backend',
  labels: { app: 'backend' },
  ips: ['10.0.0.3'],
  ports: [
    { name: 'http', port: 8080 },
    { name: 'admin', port: 9000 },
  ],
});

/** Port 8080 of the seed's backend under default deny; a test says what else there is. */
export const aSituation = (said: Partial<Situation> = {}): Situation => ({
  target: backend,
  port: 8080,
  cluster: aClusterConfig({ defaultOpaquePorts: portSet([{ first: 3306, last: 3306 }]) }),
  pods: [frontend, intruder, backend],
  externalWorkloads: [],
  namespaces: [aNamespace({ name: 'demo' })],
  networkAuthenticationPolicies: [],
  servers: [],
  authorizationPolicies: [],
  serverAuthorizations: [],
  meshTlsAuthentications: [],
  networkAuthentications: [],
  routes: [],
  rateLimits: [],
  unreadableManifests: 'none',
  matchesRegex: matchesWhole,
  ...said,
});

export const identified = (serviceAccount = 'default', namespace = 'demo'): ClientTls => ({
  kind: 'identified',
  id: 'dns',
  name: printIdentity(
    identityOf(
      { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' },
      namespace,
      serviceAccount,
    ),
  ),
});

type Caller = Pick<Attempt, 'client' | 'tls'>;

/** The pod itself, with its certificate, at its first address. */
export const asPod = ({ meta, spec }: KubeObject<'Pod'>): Caller => ({
  client: ipOf(spec.ips[0] ?? ''),
  tls: identified(spec.serviceAccount, meta.namespace),
});

export const at = (address: string, tls: ClientTls = { kind: 'none' }): Caller => ({
  client: ipOf(address),
  tls,
});

/** `GET /api x-tenant=blue`, or `bytes` for a connection that is not HTTP. */
export const trafficOf = (text: string): Attempt['traffic'] => {
  if (text === 'bytes') return { kind: 'tcp' };
  const [method = 'GET', target = '/', ...fields] = text.split(' ');
  const headers = fields.map((field): HttpRequest['headers'][number] => {
    const [name = '', value = ''] = field.split('=');
    return { name, value };
  });
  return { kind: 'http', method, target, host: 'backend.demo:8080', headers };
};

/** What becomes of an attempt, as the proxy would say it. The compiled row and the oracle must agree. */
export const verdictOf = (situation: Situation, caller: Caller, traffic = 'GET /'): string => {
  const attempt = { ...caller, traffic: trafficOf(traffic) };
  const verdict = evaluate(compileSituation(situation).server, attempt, situation.matchesRegex);
  const decision = decide(situation, attempt);
  const said = verdict.kind === 'allowed' ? 'allowed' : verdict.reason;
  assert.equal(decision.kind === 'allowed' ? 'allowed' : decision.reason, said, 'the oracle disagrees');
  return said;
};
