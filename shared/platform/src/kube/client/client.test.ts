import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { anAuthority, aTlsMaterial } from '@gatehouse/dev/certificates';
import { ScriptedApi } from '@gatehouse/testing/scripted-api';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { stringify } from 'yaml';
import { pemOf, type TlsMaterial } from '../../tls/material.ts';
import { kubeClientAt, openKubeClient, openKubeContext } from './client.ts';

const never = new AbortController().signal;

interface Said {
  readonly server: string;
  readonly user?: object | undefined;
  readonly context?: object;
  readonly current?: string;
  readonly name?: string;
}

const aKubeconfig = ({ server, user = {}, context = {}, current = 'here', name = 'here' }: Said): string =>
  stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server } }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name, ...context } }],
    'current-context': current,
  });

const written = async (t: TestContext, text: string): Promise<string> => {
  const file = join(await temporaryFolder(t), 'config');
  await writeFile(file, text);
  return file;
};

/** What one request carries for authorization when the kubeconfig's user is this. */
const authorization = async (t: TestContext, user: object, between = async () => {}): Promise<unknown[]> => {
  await using api = await ScriptedApi.start();
  const client = await openKubeClient({
    kubeconfig: await written(t, aKubeconfig({ server: api.url, user })),
  });
  const seen: unknown[] = [];
  for (let count = 0; count < 2; count += 1) {
    const answer = client.request({ path: '/version', signal: never });
    const asked = await api.next();
    seen.push(asked.headers.authorization);
    asked.json(200, {});
    await answer;
    await between();
  }
  client.close();
  return seen;
};

test('a token of the kubeconfig goes with every request', async (t) =>
  assert.deepEqual(await authorization(t, { token: 'sesame' }), ['Bearer sesame', 'Bearer sesame']));

test('a context that is named counts, with its namespace and the token of its user', async (t) => {
  const config = {
    clusters: [{ name: 'c', cluster: { server: 'https://localhost:1' } }],
    users: [
      { name: 'ann', user: { token: 'sesame' } },
      { name: 'bob', user: { username: 'bob', password: 'secret' } },
    ],
    contexts: [
      { name: 'one', context: { cluster: 'c', user: 'ann', namespace: 'demo' } },
      { name: 'two', context: { cluster: 'c', user: 'bob' } },
    ],
    'current-context': 'one',
  };
  const kubeconfig = await written(t, stringify(config));
  const one = await openKubeContext({ kubeconfig });
  assert.deepEqual([one.namespace, await one.bearerToken()], ['demo', 'sesame']);
  const two = await openKubeContext({ kubeconfig, context: 'two' });
  assert.deepEqual([two.namespace, await two.bearerToken()], ['default', undefined]);
  await assert.rejects(openKubeContext({ kubeconfig, context: 'three' }), {
    code: 'failed-precondition',
    message: /it has no context `three`, but one, two/,
  });
});

test('a name and a password do, too', async (t) => {
  const [seen] = await authorization(t, { username: 'me', password: 'secret' });
  assert.equal(seen, `Basic ${Buffer.from('me:secret').toString('base64')}`);
});

test('a token file, as a pod in a cluster has it, is read again a minute later', async (t) => {
  const tokenFile = join(await temporaryFolder(t), 'token');
  await writeFile(tokenFile, 'old');
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const seen = await authorization(
    t,
    { 'auth-provider': { name: 'tokenFile', config: { tokenFile } } },
    async () => {
      await writeFile(tokenFile, 'new');
      t.mock.timers.tick(61_000);
    },
  );
  assert.deepEqual(seen, ['Bearer old', 'Bearer new']);
});

test("a certificate of the kubeconfig is shown, and only the server of the kubeconfig's root is believed", async (t) => {
  const root = anAuthority();
  const serving = aTlsMaterial(root, { name: 'localhost' });
  const own = aTlsMaterial(root, { name: 'me.example' });
  const pem = ({ key }: TlsMaterial): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const server = createServer(
    {
      key: pem(serving),
      cert: serving.chain.map(pemOf).join(''),
      ca: root.pem,
      requestCert: true,
      rejectUnauthorized: true,
    },
    (request, response) => response.end((request.socket as TLSSocket).getPeerCertificate().subjectaltname),
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const open = async (ca: string) => {
    const config = {
      clusters: [
        {
          name: 'here',
          cluster: { server: `https://localhost:${port}`, 'certificate-authority-data': base64(ca) },
        },
      ],
      users: [
        {
          name: 'here',
          user: {
            'client-certificate-data': base64(own.chain.map(pemOf).join('')),
            'client-key-data': base64(pem(own)),
          },
        },
      ],
      contexts: [{ name: 'here', context: { cluster: 'here', user: 'here' } }],
      'current-context': 'here',
    };
    return openKubeClient({ kubeconfig: await written(t, stringify(config)) });
  };
  const [client, misled] = [await open(root.pem), await open(anAuthority().pem)];
  try {
    const { body } = await client.request({ path: '/', signal: never });
    assert.equal(body.toString(), 'DNS:me.example');
    await assert.rejects(misled.request({ path: '/', signal: never }), { code: 'unavailable' });
  } finally {
    client.close();
    misled.close();
    server.closeAllConnections();
    await once(server.close(), 'close');
  }
});

test('an exec plugin is asked again when its token has expired', async (t) => {
  const plugin = join(await temporaryFolder(t), 'plugin');
  await writeFile(
    plugin,
    `#!/bin/sh\necho '{"status":{"token":"t-'$$'","expirationTimestamp":"2020-01-01T00:00:00Z"}}'\n`,
  );
  await chmod(plugin, 0o700);
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: plugin, interactiveMode: 'Never' };
  const [first, second] = await authorization(t, { exec });
  assert.match(String(first), /^Bearer t-\d+$/);
  assert.notEqual(first, second);
});

test('credentials that cannot be had are said as such, with what the plugin said', async (t) => {
  await using api = await ScriptedApi.start();
  const user = { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: '/no/such/plugin' } };
  const client = await openKubeClient({
    kubeconfig: await written(t, aKubeconfig({ server: api.url, user })),
  });
  await assert.rejects(client.request({ path: '/', signal: never }), {
    code: 'unavailable',
    message: /the credentials for http.* cannot be had: .*plugin/,
  });
});

test('a server behind a path, parameters, bodies and refusals arrive as they are', async (t) => {
  await using api = await ScriptedApi.start();
  const server = `${api.url}/k8s/clusters/one/`;
  const client = await openKubeClient({ kubeconfig: await written(t, aKubeconfig({ server })) });
  const answer = client.request({
    method: 'PATCH',
    path: '/api/v1/pods',
    query: { limit: 5, continue: undefined, fieldSelector: 'a=b&c' },
    body: { name: 'grüße' },
    contentType: 'application/merge-patch+json',
    signal: never,
  });
  const asked = await api.next();
  assert.deepEqual(
    [asked.method, asked.path, asked.query, asked.body, asked.headers['content-type']],
    [
      'PATCH',
      '/k8s/clusters/one/api/v1/pods',
      { limit: '5', fieldSelector: 'a=b&c' },
      '{"name":"grüße"}',
      'application/merge-patch+json',
    ],
  );
  asked.json(429, { message: 'busy' }, { 'retry-after': '3' });
  const { status, retryAfterMs, body } = await answer;
  assert.deepEqual([status, retryAfterMs, body.toString()], [429, 3_000, '{"message":"busy"}']);
  client.close();
});

test('several files are one, and of two entries with one name the first counts', async (t) => {
  await using api = await ScriptedApi.start();
  const first = await written(t, aKubeconfig({ server: 'https://10.0.0.1', name: 'there', current: 'here' }));
  const second = await written(t, aKubeconfig({ server: api.url, current: 'there' }));
  const again = await written(t, aKubeconfig({ server: 'https://10.0.0.2' }));
  const client = await openKubeClient({ kubeconfig: [first, second, again].join(delimiter) });
  assert.equal(client.server, api.url);
});

const wrong: readonly (readonly [string, string, RegExp])[] = [
  ['is not YAML', ': : :', /cannot be used: /],
  ['is empty', '', /cannot be used: /],
  [
    'has no such context',
    aKubeconfig({ server: 'https://a', current: 'gone' }),
    /context `gone` names no cluster/,
  ],
  [
    'has no such user',
    aKubeconfig({ server: 'https://a', context: { user: 'nobody' } }),
    /context `here` names no user it has/,
  ],
  [
    'has a server that is not a valid URL',
    aKubeconfig({ server: 'a b' }),
    /its server `a b` is not a valid URL/,
  ],
  ['would send tokens in plain text', aKubeconfig({ server: 'http://10.0.0.1' }), /in plain text: use https/],
];

test('there are 6 ways for a kubeconfig to be wrong', () => assert.equal(wrong.length, 6));
for (const [what, text, message] of wrong) {
  test(`a kubeconfig that ${what} is refused, naming the variable and the file`, async (t) => {
    const kubeconfig = await written(t, text);
    await assert.rejects(openKubeClient({ kubeconfig }), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'failed-precondition');
      assert.match(error.message, message);
      assert.ok(error.message.includes(`${kubeconfig} (KUBECONFIG)`), error.message);
      return true;
    });
  });
}

test('an API server that is not there is unavailable, and an abort is the abort', async () => {
  const api = await ScriptedApi.start();
  const { url } = api;
  const client = kubeClientAt(url);
  const abort = new AbortController();
  const aborted = assert.rejects(client.request({ path: '/', signal: abort.signal }), /enough/);
  await api.next();
  abort.abort(new Error('enough'));
  await aborted;
  await api[Symbol.asyncDispose]();
  await assert.rejects(client.request({ path: '/', signal: never }), {
    code: 'unavailable',
    message: /the API server http:.* cannot be reached: .*ECONNREFUSED/,
  });
});
