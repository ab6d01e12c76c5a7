import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultProxySettings, listProxySettings, parseProxySettings } from './proxy-settings.ts';

test('what is left out has its default, and settings read back from JSON as they were', () => {
  assert.deepEqual(parseProxySettings({}), { ok: true, value: defaultProxySettings });
  const changed = parseProxySettings({
    controlPlaneNamespace: 'linkerd',
    proxy: { ports: { admin: 5191 }, logFormat: 'json', environment: [{ name: 'A', value: 'b' }] },
    init: { cni: true },
  });
  assert.ok(changed.ok);
  assert.equal(changed.value.controlPlaneNamespace, 'linkerd');
  assert.deepEqual(changed.value.proxy.ports, { inbound: 4143, outbound: 4140, admin: 5191, control: 4190 });
  assert.equal(changed.value.init.cni, true);
  assert.equal(changed.value.proxy.version, defaultProxySettings.proxy.version);
  assert.deepEqual(parseProxySettings(JSON.parse(JSON.stringify(changed.value))), changed);
});

test('every default can be written by hand, and every setting says what it is for', () => {
  const settings = listProxySettings();
  assert.ok(settings.length > 60, `${settings.length}`);
  for (const { path, form, fallback, sentence } of settings) {
    assert.deepEqual(form.readJson(fallback, path), { ok: true, value: fallback }, path);
    assert.match(sentence, /^[A-Z].*\.$/, path);
    assert.notEqual(form.form, '', path);
  }
  assert.equal(new Set(settings.map(({ path }) => path)).size, settings.length);
});

test('each mistake is named by its path, all of them at once', () => {
  const cases: readonly (readonly [unknown, readonly string[]])[] = [
    [
      null,
      [
        'proxy.json: is not an object: write an object with controlPlaneNamespace, trustDomain, clusterDomain, clusterNetworks, defaultInboundPolicy, opaquePorts, ipv6, services, proxy, init, networkValidator, debug',
      ],
    ],
    [{ proxi: {} }, ['proxy.json.proxi: unknown field: proxy.json.proxy is meant?']],
    [
      { trustDomain: 'Cluster.local' },
      [
        'proxy.json.trustDomain: `Cluster.local` is not a valid DNS name: lower-case labels of at most 63 bytes',
      ],
    ],
    [
      { proxy: { ports: { admin: 0, inbond: 1 }, uid: '2102' } },
      [
        'proxy.json.proxy.uid: the string 2102 is not a valid value: write an id from 1 to 4294967294',
        'proxy.json.proxy.ports.inbond: unknown field: proxy.json.proxy.ports.inbound is meant?',
        'proxy.json.proxy.ports.admin: 0 is not a valid value: write a port from 1 to 65535',
      ],
    ],
    [
      { defaultInboundPolicy: 'denny' },
      [
        'proxy.json.defaultInboundPolicy: `denny` is not known: deny is meant? use one of all-unauthenticated, all-authenticated, cluster-unauthenticated, cluster-authenticated, deny, audit',
      ],
    ],
    [
      { init: { cni: 'yes' } },
      ['proxy.json.init.cni: the string yes is neither true nor false: write true or false, without quotes'],
    ],
    [
      { clusterNetworks: '10.0.0.0/8,10' },
      [
        'proxy.json.clusterNetworks: `10` is not a valid network: use an IPv4 or IPv6 address, or a CIDR such as 10.0.0.0/8',
      ],
    ],
    [
      { proxy: { resources: { cpu: { request: '1 core' } } } },
      [
        'proxy.json.proxy.resources.cpu.request: `1 core` is not a valid quantity: write cores such as 100m or 2, bytes such as 64Mi',
      ],
    ],
    [
      { proxy: { environment: [{ nam: 'A' }] } },
      ['proxy.json.proxy.environment[0].nam: unknown field: known here: name, value, valueFrom'],
    ],
    [
      { proxy: { ports: { admin: 4143 } } },
      [
        'proxy.json.proxy.ports.admin: 4143 is the inbound port, too: give each of inbound, outbound, admin and control a port of its own',
      ],
    ],
  ];
  assert.equal(cases.length, 10);
  for (const [written, expected] of cases) {
    const outcome = parseProxySettings(written, 'proxy.json');
    assert.ok(!outcome.ok);
    assert.deepEqual(
      outcome.problems.map(({ field, found, fix }) => `${field}: ${found}: ${fix}`),
      expected,
    );
  }
});
