import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Machine, whyNoRealMesh } from './prerequisites.ts';

const able: Machine = {
  platform: 'linux',
  uid: 0,
  env: { LINKERD2_PROXY_BIN: '/opt/linkerd2-proxy' },
  isExecutable: () => true,
};

test('a Linux machine with root, the tools and a proxy can run the mesh', () => {
  assert.equal(whyNoRealMesh(able), undefined);
});

test('whatever is missing is the reason why the mesh is skipped', () => {
  const cases: readonly (readonly [Partial<Machine>, RegExp])[] = [
    [{ platform: 'darwin' }, /Linux/],
    [{ uid: 1000 }, /root/],
    [{ uid: undefined }, /root/],
    [{ env: {} }, /LINKERD2_PROXY_BIN names no linkerd2-proxy/],
    [{ env: { LINKERD2_PROXY_BIN: '' } }, /LINKERD2_PROXY_BIN names no linkerd2-proxy/],
    [{ isExecutable: (path) => !path.includes('linkerd2') }, /opt\/linkerd2-proxy is not a program/],
    [{ isExecutable: (path) => !path.endsWith('setpriv') }, /missing: setpriv$/],
  ];
  for (const [missing, reason] of cases) assert.match(whyNoRealMesh({ ...able, ...missing }) ?? '', reason);
  assert.equal(cases.length, 7);
});
