import assert from 'node:assert/strict';
import { test } from 'node:test';
import { additionsOf, type Container, containersOf, inject } from '@gatehouse/testing/injected-pod';

test('the proxy is an init container after proxy-init by default, and a plain container where that is asked for', () => {
  const native = additionsOf(inject({}));
  const [first, second] = native.get('/spec/initContainers') as readonly Container[];
  assert.deepEqual(
    [first?.name, second?.name, second?.restartPolicy],
    ['linkerd-init', 'linkerd-proxy', 'Always'],
  );
  assert.equal(second?.lifecycle, undefined);
  const there = additionsOf(
    inject({ spec: { initContainers: [{ name: 'wait' }], containers: [{ name: 'app' }] } }),
  );
  assert.equal((there.get('/spec/initContainers/0') as Container).name, 'linkerd-init');
  assert.equal((there.get('/spec/initContainers/1') as Container).name, 'linkerd-proxy');

  const plain = additionsOf(
    inject({ annotations: { 'config.linkerd.io/proxy-enable-native-sidecar': 'false' } }),
  );
  const sidecar = plain.get('/spec/containers/0') as Container;
  assert.equal(sidecar.restartPolicy, undefined);
  assert.match(JSON.stringify(sidecar.lifecycle), /postStart.*linkerd-await.*--port=4191/);
  assert.ok(sidecar.startupProbe !== undefined);
  const last = additionsOf(
    inject({
      annotations: {
        'config.alpha.linkerd.io/proxy-enable-native-sidecar': 'false',
        'config.linkerd.io/proxy-await': 'disabled',
        'config.alpha.linkerd.io/proxy-wait-before-exit-seconds': '20',
      },
    }),
  );
  assert.deepEqual((last.get('/spec/containers/-') as Container).lifecycle, {
    preStop: { exec: { command: ['/bin/sleep', '20'] } },
  });
});

test('with a CNI plugin no container has capabilities, and one checks that the plugin did its work', () => {
  const injection = inject({}, { init: { cni: true } });
  const containers = containersOf(injection);
  assert.deepEqual(
    containers.map(({ name }) => name),
    ['linkerd-network-validator', 'linkerd-proxy'],
  );
  for (const { securityContext } of containers)
    assert.match(JSON.stringify(securityContext), /"drop":\["ALL"\].*"runAsNonRoot":true.*RuntimeDefault/);
  const volumes = JSON.stringify(additionsOf(injection).get('/spec/volumes'));
  assert.doesNotMatch(volumes, /xtables/);
});

test('only proxy-init is more than Pod Security `restricted` allows, and only by what its rules need', () => {
  const [init, proxy] = containersOf(inject({}));
  const restricted = {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
  };
  assert.deepEqual(proxy?.securityContext, {
    ...restricted,
    capabilities: { drop: ['ALL'] },
    runAsUser: 2102,
  });
  assert.deepEqual(init?.securityContext, {
    ...restricted,
    capabilities: { add: ['NET_ADMIN', 'NET_RAW'], drop: ['ALL'] },
    privileged: false,
    runAsGroup: 65534,
    runAsUser: 65534,
  });
});

test('a pod without an automounted token is injected: the proxy has a token of its own', () => {
  const injection = inject({ spec: { automountServiceAccountToken: false } });
  assert.match(JSON.stringify(additionsOf(injection).get('/spec/volumes')), /"audience":"identity\.l5d\.io"/);
});
