import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { openFakeCluster } from '../../../testing/fake-cluster.ts';
import { PolicyCluster } from '../../../testing/policy-cluster.ts';
import { runToEnd } from '../../../testing/run-cli.ts';
import { runCli } from '../../cli.ts';
import { exitCode } from '../../exit-code.ts';
import { removeSecrets, tellSettings } from './remove-secrets.ts';

const jwt = `${Buffer.from('{"alg":"ES256","kid":"k"}').toString('base64url')}.${Buffer.from('{"sub":"somebody"}').toString('base64url')}.c2lnbmF0dXJlLW9mLWl0`;

const keys = {
  P256: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  P384: generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
  Ed25519: generateKeyPairSync('ed25519').privateKey,
  RSA: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
};

/** Every form in which a key may stand in a text, with a part of it that must not be left. */
const formsOf = (key: (typeof keys)['P256']): readonly (readonly [form: string, secret: string])[] => {
  const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
  const der = key.export({ type: 'pkcs8', format: 'der' });
  const secret = pem.split('\n')[1]?.slice(24, 56) ?? '';
  const { d = '' } = key.export({ format: 'jwk' });
  const encoded = Buffer.from(pem).toString('base64');
  return [
    [pem, secret],
    [JSON.stringify({ key: pem }), secret],
    [pem.slice(0, pem.length / 2), secret],
    [`tls.key: ${encoded}`, encoded.slice(60, 90)],
    [`key=${der.toString('base64')}`, der.toString('base64').slice(24, 56)],
    [JSON.stringify({ kty: 'EC', d }), d],
  ];
};

test('keys in every form, tokens and passwords are removed, and what stands around them stays', () => {
  let count = 0;
  for (const [name, key] of Object.entries(keys)) {
    for (const [form, secret] of formsOf(key)) {
      const text = removeSecrets(`before ${form} after`);
      assert.ok(secret.length >= 16, name);
      assert.doesNotMatch(text, new RegExp(secret.replace(/[+/]/g, '\\$&')), `${name}: ${form.slice(0, 40)}`);
      assert.match(text, /^before .*\[removed: a private key\]/s);
      count += 1;
    }
  }
  assert.equal(count, 24);
  assert.equal(removeSecrets(`token ${jwt}, and more`), 'token [removed: a token], and more');
  assert.equal(
    removeSecrets('authorization: Bearer 0123456789abcdef'),
    'authorization: Bearer [removed: a token]',
  );
  assert.equal(removeSecrets('https://me:sesame12@host/x'), 'https://[removed: a password]@host/x');
  assert.equal(removeSecrets('it was sesame-open', ['sesame-open']), 'it was [removed: a secret]');
});

test('certificates, hashes and names stay, as they are what is looked for', () => {
  const plain = [
    '-----BEGIN CERTIFICATE-----\nMIIBszCCAVqgAwIBAgIUe1\n-----END CERTIFICATE-----',
    'version 2cf24dba5fb0a30e26e83b2ac5b9e29e',
    'default.demo.serviceaccount.identity.gatehouse.cluster.local',
    'gatehouse_token_reviews_total{outcome="ok"} 3',
  ].join('\n');
  assert.equal(removeSecrets(plain), plain);
});

test('of settings those that may be secret have no value', () => {
  const settings = tellSettings({
    GATEHOUSE_LOG_LEVEL: 'debug',
    GATEHOUSE_TOKEN: 'sesame-open',
    GATEHOUSE_NOTE: jwt,
    AWS_SECRET_ACCESS_KEY: 'x',
    KUBECONFIG: '/home/me/.kube/config',
  });
  assert.deepEqual(settings, {
    GATEHOUSE_LOG_LEVEL: 'debug',
    GATEHOUSE_NOTE: '[removed: a token]',
    GATEHOUSE_TOKEN: '[removed: a secret]',
    KUBECONFIG: '/home/me/.kube/config',
  });
});

/** Every file of the state that others may not read. */
const secretFiles = async (folder: string): Promise<readonly string[]> => {
  const names = await readdir(folder, { recursive: true });
  const files = [];
  for (const name of names) {
    const found = await stat(join(folder, name));
    if (found.isFile() && (found.mode & 0o077) === 0) files.push(join(folder, name));
  }
  return files;
};

const serving = async (t: TestContext): Promise<string> => {
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, 'm'));
  // A value that a service quotes where it says what is wrong.
  const manifest = `apiVersion: policy.linkerd.io/v1alpha1
kind: NetworkAuthenticationPolicy
metadata: { name: planted, namespace: demo }
spec: { target: { selector: {} }, sources: ${jwt} }
`;
  await writeFile(join(folder, 'm', 'planted.yaml'), manifest);
  const interrupt = new AbortController();
  const { promise: said, resolve } = Promise.withResolvers<void>();
  const ended = runCli(['serve', '--dir', 'm', '--state', 'state', '--port-base', '0'], {
    terminal: { columns: 80, isTty: false, out: () => resolve(), err: () => {}, paint: (_, text) => text },
    env: { GATEHOUSE_LOG_LEVEL: 'error' },
    workingDirectory: folder,
    interrupted: interrupt.signal,
  });
  t.after(async () => {
    interrupt.abort();
    await ended;
  });
  await said;
  return folder;
};

test('of a running mesh everything is told that a report needs, and no byte of its keys and tokens', async (t) => {
  const folder = await serving(t);
  const run = (...more: readonly string[]) =>
    runToEnd(['diagnostics', '--state', 'state', ...more], {
      workingDirectory: folder,
      env: { GATEHOUSE_ADMIN_TOKEN: 'sesame-open', GATEHOUSE_NOTE: jwt },
    });
  const { code, out, err } = await run();
  assert.equal(code, exitCode.ok);
  assert.match(err, /read it before you send it/);
  const titles = [...out.matchAll(/^=== (.*)$/gm)].map(([, title]) => title);
  assert.deepEqual(titles, [
    'gatehouse (this command)',
    'identity /v1/health',
    'identity /v1/issuer',
    'identity /v1/issuance-log',
    'identity /metrics',
    'destination /v1/health',
    'destination /metrics',
    'policy /v1/health',
    'policy /metrics',
  ]);
  assert.match(out, /"GATEHOUSE_NOTE": "\[removed: a token\]"/);
  assert.match(out, /"GATEHOUSE_ADMIN_TOKEN": "\[removed: a secret\]"/);
  const files = await secretFiles(join(folder, 'state'));
  assert.ok(
    files.some((file) => file.endsWith('admin-token')) && files.some((file) => file.endsWith('.key')),
  );
  let checked = 0;
  for (const file of files) {
    for (const line of (await readFile(file, 'utf8')).split(/[\s"]+/)) {
      // What is public beside it: frames, and words of JSON.
      if (line.length < 16 || !/^[\w+/=.-]+$/.test(line) || line.startsWith('-----')) continue;
      checked += 1;
      assert.equal(out.includes(line), false, `${file} is in it`);
    }
  }
  assert.ok(checked >= 4);
  for (const secret of [jwt, 'sesame-open']) assert.equal(out.includes(secret), false);
  const json = JSON.parse((await run('-o', 'json')).out);
  assert.deepEqual(
    json.sections.map(({ title }: { title: string }) => title),
    titles,
  );
});

test('in a cluster the control plane’s Deployments, pods, events and definitions are told, and what may not be read', async (t) => {
  const fixture = await PolicyCluster.start(await openFakeCluster());
  t.after(() => fixture[Symbol.asyncDispose]());
  const { code, out } = await fixture.run(['diagnostics']);
  assert.equal(code, exitCode.ok);
  assert.match(out, /^=== pods of gatehouse\n[\s\S]*"name": "gatehouse-policy-0"/m);
  assert.match(out, /^=== identity\ncould not be asked: there is no Service gatehouse-identity-headless/m);
  assert.match(out, /^=== policy \/v1\/health\n\{"service":"policy","version":"\d/m);
  assert.match(out, /^=== log of gatehouse\/gatehouse-policy-0, app\nthe API server answers 404/m);
  assert.equal(out.includes('a-token-of-an-administrator'), false);
});

test('without a mesh it says so, and what it knows of itself', async () => {
  const { code, out } = await runToEnd(['diagnostics'], { env: { KUBECONFIG: '/nonexistent/kubeconfig' } });
  assert.equal(code, exitCode.ok);
  assert.match(out, /^=== gatehouse \(this command\)\n\{\n {2}"version": "\d/);
  assert.match(out, /\n=== policy\ncould not be asked: /);
});
