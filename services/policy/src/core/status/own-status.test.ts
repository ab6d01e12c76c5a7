import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { aNamespace, aNetworkAuthenticationPolicy, aPod } from '@gatehouse/testing/builders';
import { JudgedMesh } from '../../../testing/judged-mesh.ts';
import { ownStatus } from './own-status.ts';

const ports = [{ name: 'http', port: 8080 }];
const opaque = { 'config.linkerd.io/opaque-ports': '8080' };
const backend = aPod({ name: 'backend-0', labels: { app: 'backend' }, ports });
const frontend = aPod({ name: 'frontend-0', labels: { app: 'frontend' }, ips: ['10.0.0.7'] });
const onHost = aPod({ name: 'frontend-1', labels: { app: 'frontend' }, hostNetwork: true });
const get = aNetworkAuthenticationPolicy({ rules: [{ methods: ['GET'] }] });
const all = aNetworkAuthenticationPolicy();

/** Of a policy beside these pods: what its condition `Effective` says. */
const effectiveOf = (policy: KubeObject<'NetworkAuthenticationPolicy'>, ...pods: readonly KubeObject[]) => {
  const mesh = new JudgedMesh().put(aNamespace(), ...pods, policy);
  const status = ownStatus(policy, mesh.judgementOf(policy), { hasServer: () => false });
  assert.ok(status?.kind === 'conditions');
  const { status: is, reason } = status.conditions.find(({ type }) => type === 'Effective') ?? {};
  return `${is} ${reason}`;
};

it('the reason why a policy is not effective is what keeps it from being so, not what is found about its clients', () => {
  const opaquePod = aPod({ ...backend.meta, ...backend.spec, annotations: opaque });
  const cases = [
    effectiveOf(all, backend, frontend),
    effectiveOf(all, backend, onHost),
    effectiveOf(get, opaquePod, frontend),
    effectiveOf(get, opaquePod, onHost),
    effectiveOf(all, aPod({ ...backend.meta, ...backend.spec, hostNetwork: true }), frontend),
    effectiveOf(all, frontend),
  ];
  assert.deepEqual(cases, [
    'True Enforced',
    'True Enforced',
    'False RulesNeedHTTP',
    'False RulesNeedHTTP',
    'False Unenforced',
    'False NoPodMatches',
  ]);
});
