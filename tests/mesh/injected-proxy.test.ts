import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { injectPod } from '@gatehouse/core/injection/inject-pod';
import { parseProxySettings } from '@gatehouse/core/injection/proxy-settings';
import { anAuthority } from '@gatehouse/dev/certificates';
import { environmentIn, type PodVariable } from '@gatehouse/testing/pod-environment';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';

const binary = process.env.LINKERD2_PROXY_BIN ?? '';
const skip = binary === '' && 'LINKERD2_PROXY_BIN names no linkerd2-proxy';

/** What kubelet fills in. */
const fields: Readonly<Record<string, string>> = {
  'metadata.name': 'web-1',
  'metadata.namespace': 'demo',
  'spec.nodeName': 'node-1',
  'spec.serviceAccountName': 'default',
  'status.podIPs': '127.0.0.9',
};

const everySetting = {
  proxy: {
    accessLog: 'json',
    gateway: true,
    shutdownGracePeriod: '1m30s',
    disableInboundProtocolDetectTimeout: true,
    disableOutboundProtocolDetectTimeout: true,
    enableExternalProfiles: true,
    hostnameLabels: true,
    shutdownEndpoint: true,
    logHttpHeaders: 'insecure',
    workers: { minimum: 1, maximum: 2, maximumCpuRatio: 0.5 },
  },
};

for (const [what, settings, mode] of [
  ['the defaults', {}, 'enabled'],
  ['every setting', everySetting, 'ingress'],
] as const)
  test(`the real proxy starts with the environment that ${what} give it`, {
    skip,
    timeout: 30_000,
  }, async (t) => {
    const folder = await temporaryFolder(t);
    const read = parseProxySettings(settings);
    assert.ok(read.ok);
    const injection = injectPod(
      {
        template: {
          metadata: { annotations: { 'linkerd.io/inject': mode } },
          spec: { containers: [{ name: 'app', ports: [{ containerPort: 8080 }] }] },
        },
        namespace: { name: 'demo', annotations: {} },
        owner: undefined,
      },
      { settings: read.value, trustAnchors: { pem: anAuthority().pem, sha256: '' }, createdBy: 'a test' },
    );
    assert.ok(injection.kind === 'injected');
    const containers = injection.patch.find(({ path }) => path === '/spec/initContainers')?.value;
    const [, proxy] = containers as readonly { readonly env: readonly PodVariable[] }[];
    const env = environmentIn(proxy?.env ?? [], fields);
    // What the image's entrypoint makes, and ports that are free here.
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeFile(join(folder, 'key.p8'), privateKey.export({ type: 'pkcs8', format: 'der' }));
    await writeFile(join(folder, 'csr.der'), 'a request');
    await writeFile(join(folder, 'token'), 'a token');
    const here = {
      LINKERD2_PROXY_IDENTITY_DIR: folder,
      LINKERD2_PROXY_IDENTITY_TOKEN_FILE: join(folder, 'token'),
      LINKERD2_PROXY_INBOUND_LISTEN_ADDR: '127.0.0.1:0',
      LINKERD2_PROXY_ADMIN_LISTEN_ADDR: '127.0.0.1:0',
      LINKERD2_PROXY_CONTROL_LISTEN_ADDR: '127.0.0.1:0',
      LINKERD2_PROXY_OUTBOUND_LISTEN_ADDRS: '127.0.0.1:0',
    };
    const child = spawn(binary, [], { env: { ...env, ...here } });
    const said: string[] = [];
    const outcome = await new Promise<string>((resolve) => {
      // 64 is how it ends on a configuration that it does not understand (contract/proxy.md §5.1).
      child.on('exit', (code) => resolve(`ended with ${code}`));
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => {
          said.push(chunk.toString());
          if (said.join('').includes('Destinations resolved via')) resolve('started');
        });
    });
    child.kill('SIGKILL');
    assert.equal(outcome, 'started', said.join(''));
    assert.doesNotMatch(said.join(''), /invalid|not a valid|unrecognized/i);
    assert.match(said.join(''), /SNI is default\.demo\.serviceaccount\.identity\.gatehouse\.cluster\.local/);
  });
