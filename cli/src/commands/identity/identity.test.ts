import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { anAuthority } from '@gatehouse/dev/certificates';
import { pemOf } from '@gatehouse/platform/tls/material';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { runToEnd } from '../../../testing/run-cli.ts';
import { runCli } from '../../cli.ts';
import { exitCode } from '../../exit-code.ts';

const manifest = `
apiVersion: v1
kind: Namespace
metadata: { name: demo, annotations: { linkerd.io/inject: enabled } }
---
apiVersion: v1
kind: Pod
metadata: { name: backend-0, namespace: demo }
spec: { containers: [ { name: app } ] }
---
apiVersion: v1
kind: Pod
metadata: { name: backend-1, namespace: demo }
spec: { containers: [ { name: app } ] }
`;

/** `gatehouse serve identity` on a folder with two pods, and command lines beside it. */
const served = async (t: TestContext, env: Readonly<Record<string, string>> = {}) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'demo.yaml'), manifest);
  const interrupt = new AbortController();
  const { promise: ready, resolve } = Promise.withResolvers<string>();
  const ended = runCli(['serve', 'identity', '--dir', folder, '--port-base', '0', '-o', 'json'], {
    terminal: { columns: 80, isTty: false, out: resolve, err: resolve, paint: (_, text) => text },
    env: { GATEHOUSE_LOG_LEVEL: 'error', ...env },
    workingDirectory: folder,
    interrupted: interrupt.signal,
  });
  const stop = async (): Promise<void> => {
    interrupt.abort();
    await ended;
  };
  t.after(stop);
  const record = JSON.parse(await ready);
  const run = (...args: readonly string[]) => runToEnd(args, { workingDirectory: folder });
  const certify = async (pod: string): Promise<{ readonly serial: string }> =>
    JSON.parse((await run('dev', 'certify', pod, '-o', 'json')).out).certificates[0];
  return { folder, record, run, certify, stop };
};

test("a pod's certificate is shown as people read it", async (t) => {
  const { run, certify } = await served(t);
  await certify('demo/backend-0');
  const { serial } = await certify('demo/backend-0');
  const { code, out, err } = await run('identity', 'backend-0', '-n', 'demo');
  assert.deepEqual([code, err], [exitCode.ok, '']);
  const lines = out.split('\n');
  assert.equal(lines[0], 'demo/backend-0');
  for (const expected of [
    /^ {2}identity +default\.demo\.serviceaccount\.identity\.gatehouse\.cluster\.local$/,
    /^ {2}state +valid$/,
    /^ {2}issued +\d+s ago \(20\d\d-\d\d-\d\d \d\d:\d\d:\d\dZ\)$/,
    /^ {2}expires +in 2[34]h \(/,
    /^ {2}renewal +due in 16h \(/,
    new RegExp(`^ {2}serial +${serial}$`),
    /^ {2}key sha-256 [\da-f]{64}$/,
    /^ {2}history +2 certificates, 2 keys, since \d+s ago$/,
  ]) {
    assert.ok(
      lines.some((line) => expected.test(line)),
      `${expected} in\n${out}`,
    );
  }
  assert.ok(
    lines.every((line) => line.length <= 80),
    'no line wraps on 80 columns',
  );
});

test('several pods are a table, and those without a certificate an error beside it', async (t) => {
  const { run, certify } = await served(t);
  await certify('demo/backend-0');
  await certify('demo/backend-1');
  const both = await run('identity', 'demo/backend-0', 'demo/backend-1');
  assert.equal(both.code, exitCode.ok);
  assert.match(both.out, /^POD +IDENTITY +STATE +ISSUED +EXPIRES +RENEWALS +KEYS\n/);
  assert.deepEqual(
    both.out.split('\n').map((line) => line.split(/ {2,}/)[0]),
    ['POD', 'demo/backend-0', 'demo/backend-1'],
  );
  const one = await run('identity', 'demo/backend-0', 'demo/nobody', '-o', 'json');
  assert.equal(one.code, exitCode.failed);
  assert.match(
    one.err,
    /^error: identity remembers no certificate of demo\/nobody: is the name right.* It remembers what was issued since .+; a proxy renews/,
  );
  const { items, partial } = JSON.parse(one.out);
  assert.equal(items.length, 1);
  assert.deepEqual(
    [items[0].pod.name, items[0].state, items[0].renewals, items[0].overdue, partial],
    ['backend-0', 'valid', 0, false, []],
  );
});

test('what was issued is listed by every filter, newest first', async (t) => {
  const { run, certify } = await served(t);
  const first = await certify('demo/backend-0');
  const second = await certify('demo/backend-1');
  const serials = async (...filters: readonly string[]): Promise<readonly string[]> => {
    const { code, out } = await run('identity', 'list', '-o', 'json', ...filters);
    assert.equal(code, exitCode.ok);
    return JSON.parse(out).items.map(({ serial }: { serial: string }) => serial);
  };
  assert.deepEqual(await serials(), [second.serial, first.serial]);
  assert.deepEqual(await serials('--limit', '1'), [second.serial]);
  assert.deepEqual(await serials('-n', 'demo', '--pod', 'backend-0'), [first.serial]);
  assert.deepEqual(await serials('--serial', first.serial.toUpperCase()), [first.serial]);
  assert.deepEqual(await serials('--active', '--since', '1h'), [second.serial, first.serial]);
  assert.deepEqual(await serials('--until', '1h'), []);
  assert.deepEqual(await serials('-n', 'other'), []);
  assert.deepEqual(await serials('--suspicious'), []);
  const table = await run('identity', 'list');
  assert.match(table.out, /^POD +IDENTITY +SERIAL +ISSUED +EXPIRES +MARK\ndemo\/backend-1 +default\.demo +/);
  const wide = await run('identity', 'list', '-o', 'wide');
  assert.match(
    wide.out,
    new RegExp(`\\.serviceaccount\\.identity\\.gatehouse\\.cluster\\.local +${second.serial}`),
  );
  const none = await run('identity', 'list', '-n', 'other');
  assert.deepEqual([none.code, none.out], [exitCode.ok, '']);
  assert.equal(none.err, 'nothing that fits was issued, as far as is remembered');
  const cut = await run('identity', 'list', '--limit', '1');
  assert.equal(cut.err, 'these are the newest 1: there are more, see --limit');
});

test('who signs is shown with its roots, and the bundle in every form', async (t) => {
  const { run } = await served(t);
  const { code, out } = await run('identity', 'issuer');
  assert.equal(code, exitCode.ok);
  assert.match(
    out,
    /^ROLE +SUBJECT +KEY +EXPIRES +LIFE LEFT\nissuer +CN=issuer\S+ +P-256 +in 9y +99 %\nroot +CN=root/,
  );
  const pem = await run('identity', 'trust-bundle');
  const root = new X509Certificate(pem.out);
  const spiffe = JSON.parse((await run('identity', 'trust-bundle', '-o', 'spiffe')).out);
  assert.deepEqual(spiffe.keys[0].x5c, [root.raw.toString('base64')]);
  const { certificates } = JSON.parse((await run('identity', 'trust-bundle', '-o', 'json')).out);
  assert.equal(certificates[0].sha256, root.fingerprint256.replaceAll(':', '').toLowerCase());
  assert.match((await run('identity', 'trust-bundle', '-o', 'table')).out, /^ROLE +SUBJECT.*\nroot +CN=root/);
  assert.match(
    (await run('identity', 'trust-bundle', '-o', 'yaml')).out,
    /^certificates:\n {2}- subject: CN=root/,
  );
});

test('mistakes are told with what is right, and end as the exit codes say', async (t) => {
  const { run, record, folder, stop } = await served(t);
  const admin: string = record.identity.admin;
  await writeFile(join(folder, 'token'), 'not-the-token\n');
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['identity'], exitCode.usage, /no pod is named: use `gatehouse identity POD`/],
    [
      ['identity', 'list', '--serial', 'xyz'],
      exitCode.usage,
      /--serial `xyz` is not hexadecimal: use the serial as/,
    ],
    [['identity', 'list', '--pod', 'a/b/c'], exitCode.usage, /--pod `a\/b\/c` names no pod/],
    [['identity', 'list', '--since', 'yesterday'], exitCode.usage, /Use how long ago \(30m, 12h, 7d\)/],
    [['identity', 'list', '--limit', '0'], exitCode.usage, /from 1 to 999999/],
    [['identity', 'list', '--state', 'x', '--context', 'y'], exitCode.usage, /cannot be used with/],
    [
      ['identity', 'list', '--address', 'http://10.0.0.1:9990'],
      exitCode.usage,
      /would send the token in plain text/,
    ],
    [['identity', 'list', '--address', 'nonsense'], exitCode.usage, /is not a valid address such as https/],
    [['identity', 'list', '--address', admin], exitCode.usage, /--address needs --token/],
    [
      ['identity', 'list', '--address', admin, '--token-file', 'token'],
      exitCode.failed,
      /identity does not accept the token \(the bearer token is not accepted\): give another/,
    ],
    [
      ['identity', 'list', '--token', 'wrong'],
      exitCode.failed,
      /leave out --token and --token-file, and .*admin-token is used/,
    ],
    [['identity', 'list', '--token', 'two words'], exitCode.usage, /--token holds no bearer token/],
    [['identity', 'list', '--token-file', 'nowhere'], exitCode.failed, /nowhere cannot be read \(ENOENT\)/],
    [
      ['identity', 'list', '--state', 'elsewhere'],
      exitCode.failed,
      /no identity service runs on .*elsewhere: start/,
    ],
    [
      ['identity', 'list', '--kubeconfig', 'none'],
      exitCode.failed,
      /the kubeconfig .*\/none .*there is no such file/,
    ],
    [['identity', '-l', 'app=web'], exitCode.usage, /--selector asks the API server, so it needs a cluster/],
    [
      ['identity', 'demo/x', '--served'],
      exitCode.usage,
      /--served forwards a port to the pod, so it needs a/,
    ],
    [
      ['identity', 'issuer', '--foo'],
      exitCode.usage,
      /unknown option '--foo'\nsee `gatehouse identity issuer --help`/,
    ],
  ];
  assert.equal(cases.length, 18);
  for (const [args, code, text] of cases) {
    const ended = await run(...args);
    assert.match(ended.err, text, args.join(' '));
    assert.equal(ended.code, code, args.join(' '));
    assert.equal(ended.out, '');
  }
  const right = await run('identity', 'list', '--address', admin, '--token-file', '.gatehouse/admin-token');
  assert.equal(right.code, exitCode.ok, right.err);
  await stop();
  const away = await run('identity', 'list', '--address', admin, '--token', 'sesame');
  assert.equal(away.code, exitCode.failed);
  assert.match(away.err, /^error: no identity service answers at http.*ECONNREFUSED.*: correct --address$/);
});

test('over https the certificate must be the one of the service that is asked, for the mesh that is named', async (t) => {
  const { run, record, folder } = await served(t, { GATEHOUSE_GRPC_TLS: 'always' });
  const { port } = new URL(record.identity.admin);
  const list = (...more: readonly string[]) =>
    run(
      'identity',
      'list',
      '--address',
      `https://127.0.0.1:${port}`,
      '--token-file',
      '.gatehouse/admin-token',
      ...more,
    );
  const right = await list('--ca-file', '.gatehouse/trust-anchors.crt');
  assert.equal(right.code, exitCode.ok, right.err);
  const unknown = await list();
  assert.equal(unknown.code, exitCode.failed);
  assert.match(unknown.err, /no identity service answers at https:.*(?:self-signed|unable to)/);
  const { certificate } = anAuthority({ name: 'another mesh' });
  await writeFile(join(folder, 'other.crt'), pemOf(certificate));
  const wrong = await list('--ca-file', 'other.crt');
  assert.equal(wrong.code, exitCode.failed);
  assert.match(wrong.err, /no identity service answers at https:/);
});

test('where no mesh is known the ways to name one are told', async (t) => {
  const home = process.env.HOME;
  process.env.HOME = await temporaryFolder(t);
  t.after(() => {
    process.env.HOME = home;
  });
  const { code, err } = await runToEnd(['identity', 'list'], { workingDirectory: process.env.HOME });
  assert.equal(code, exitCode.failed);
  assert.match(
    err,
    /^error: no mesh is known: nothing runs on .*\.gatehouse, and there is no kubeconfig; start `gatehouse/,
  );
});

test('the state of the issuance log is shown, and one that cannot be written ends as a failure', async (t) => {
  const inMemory = await served(t);
  const none = await inMemory.run('identity', 'log');
  assert.equal(none.code, exitCode.ok);
  assert.match(none.out, /^FILE +SIZE +STATE +DAMAGED LINES\nnone: in memory only +- +writable +0$/);
  const file = join(await temporaryFolder(t), 'issuance.log');
  const { run, certify } = await served(t, { GATEHOUSE_ISSUANCE_LOG: file });
  await certify('demo/backend-0');
  const { file: told, bytes, writable } = JSON.parse((await run('identity', 'log', '-o', 'json')).out);
  assert.deepEqual([told, bytes > 0, writable], [file, true, true]);
});

test('a log that cannot be written, and one that is damaged, are told with what to do', async (t) => {
  const report = {
    file: '/log',
    bytes: 10,
    writable: false,
    failure: { since: new Date(Date.now() - 300_000).toISOString(), why: 'ENOSPC', refused: 7 },
    damagedLines: 2,
    firstDamageAt: 4,
  };
  const server = createServer((_request, response) => response.end(JSON.stringify(report)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { code, out, err } = await runToEnd([
    'identity',
    'log',
    '--address',
    `http://127.0.0.1:${port}`,
    '--token',
    'sesame',
  ]);
  assert.equal(code, exitCode.failed);
  assert.match(out, /\/log +10 bytes +not writable +2$/);
  assert.match(err, /^2 lines are unreadable or missing, the first at byte 4/);
  assert.match(
    err,
    /error: nothing can be recorded since 5m.* ago \(ENOSPC\), so 7 certificates were refused: make room/,
  );
});

test('a serve that died is told to be started again', async (t) => {
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, '.gatehouse'));
  const record = { grpc: '127.0.0.1:1', admin: 'http://127.0.0.1:1', name: 'n', tls: false };
  await writeFile(join(folder, '.gatehouse', 'serve-identity.json'), JSON.stringify(record));
  await writeFile(join(folder, '.gatehouse', 'admin-token'), 'sesame-sesame-sesame');
  const { code, err } = await runToEnd(['identity', 'list'], { workingDirectory: folder });
  assert.equal(code, exitCode.failed);
  assert.match(
    err,
    /no identity service answers at http:.*ECONNREFUSED.*: start `gatehouse serve` on .* again, or name/,
  );
});

test('an issuer that is near its end is told with what comes of it', async (t) => {
  const folder = await temporaryFolder(t);
  const hour = 3_600_000;
  const root = anAuthority({ name: 'old-root' });
  const issuer = anAuthority({
    name: 'short-issuer',
    issuedBy: root,
    notBefore: Date.now() - 9 * hour,
    notAfter: Date.now() + hour,
  });
  await writeFile(join(folder, 'tls.crt'), issuer.pem);
  await writeFile(join(folder, 'tls.key'), issuer.key.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(join(folder, 'ca.crt'), root.pem);
  const { run } = await served(t, { GATEHOUSE_ISSUER_DIR: folder });
  const { code, out } = await run('identity', 'issuer');
  assert.equal(code, exitCode.ok);
  assert.match(
    out,
    /\nissuer +CN=short-issuer.*\n[\s\S]*\n\nNear its end:\n {2}issuer CN=short-issuer ends in \d+ minutes, at .*: certificates are already cut to it: .+/,
  );
});

test('an issuer that is not valid yet on a clock that was set back is told as that', async (t) => {
  const begin = Date.now();
  t.mock.timers.enable({ apis: ['Date'], now: begin });
  const { run } = await served(t);
  // The CA of dev mode begins an hour before it is made.
  t.mock.timers.setTime(begin - 7_200_000);
  const { code, out, err } = await run('identity', 'issuer');
  assert.equal(code, exitCode.failed);
  assert.match(out, /\nissuer +CN=issuer\S+ .* not valid yet\n/);
  assert.match(
    err,
    /no certificate can be issued: CN=issuer\S+ is valid only from .*; compare the clocks, see docs\/clocks\.md$/,
  );
});
