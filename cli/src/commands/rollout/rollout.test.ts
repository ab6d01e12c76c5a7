import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { eventually } from '@gatehouse/testing/grpc';
import { policyWithProxies } from '../../../testing/policy-proxies.ts';
import { runToEnd } from '../../../testing/run-cli.ts';
import { exitCode } from '../../exit-code.ts';

const pod = (name: string, ip: string) => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: demo, labels: { app: backend, linkerd.io/control-plane-ns: gatehouse } }
spec: { containers: [{ name: app, ports: [{ name: http, containerPort: 8080 }] }] }
status: { phase: Running, podIP: ${ip} }
---`;

const policy = (caller: string, app = 'backend') => `
apiVersion: policy.linkerd.io/v1alpha1
kind: NetworkAuthenticationPolicy
metadata: { name: callers, namespace: demo }
spec:
  target: { selector: { matchLabels: { app: ${app} } } }
  ports: [{ port: 8080 }]
  sources: [{ serviceAccounts: [{ name: ${caller} }] }]
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: ${caller}, namespace: demo }
`;

const status = ['rollout', 'status', 'nap/callers', '-n', 'demo'] as const;

/** Ages and versions are others each time. */
const steady = (text: string): readonly string[] =>
  text.split('\n').map((line) =>
    line
      .replace(/\b\d+s ( *)(?=\S)/g, 'AGE $1')
      .replace(/127\.0\.0\.\d+:\d+/g, 'PEER')
      .replace(/[0-9a-f]{32}/g, 'VERSION')
      .replace(/ {2,}/g, '  ')
      .trimEnd(),
  );

const onLinux = process.platform === 'linux' ? false : 'proxies need addresses of their own on loopback';

suite('gatehouse rollout status and streams', { skip: onLinux }, () => {
  test('say on how many proxies a policy is in force, who lacks it, and what each was sent', async (t) => {
    const mesh = await policyWithProxies(
      t,
      `${pod('backend-0', '127.0.0.71')}${pod('backend-1', '127.0.0.72')}${policy('web')}`,
    );
    await mesh.proxy('backend-0', '127.0.0.71');
    const slow = await mesh.proxy('backend-1', '127.0.0.72');
    const whole = await mesh.run(...status, '--wait');
    assert.deepEqual(
      [whole.code, whole.out, whole.err],
      [exitCode.ok, 'demo/nap/callers Programmed: In force on 2 of 2 proxies.', ''],
    );
    slow.stall();
    await mesh.write(
      'mesh.yaml',
      `${pod('backend-0', '127.0.0.71')}${pod('backend-1', '127.0.0.72')}${policy('jobs')}`,
    );
    await eventually(async () => (await mesh.run(...status)).out.includes('In force on 1 of 2'));
    const late = await mesh.run(...status, '--wait=300ms');
    assert.equal(late.code, exitCode.failed);
    assert.deepEqual(steady(late.out), [
      'demo/nap/callers InProgress: In force on 1 of 2 proxies: backend-1 has not',
      '  confirmed it.',
      '',
      'PROXY  PORT  BECAUSE  CONNECTED  FROM  REPLICA',
      'backend-1  8080  it has not answered since it was sent  AGE  127.0.0.72  policy-0',
    ]);
    const pending = await mesh.run('streams', '-n', 'demo', '--pending');
    assert.equal(pending.code, exitCode.ok);
    assert.match(
      pending.out,
      /^PEER +METHOD +TARGET +OPEN +SENT +BYTES +PENDING\n127\.0\.0\.72:\d+ +WatchPort +demo\/backend-1:8080 +\d+s +\d+s ago +\d+ +unanswered$/,
    );
    const json = JSON.parse((await mesh.run(...status, '-o', 'json')).out);
    assert.deepEqual(
      [json.state, json.laggards[0].peer, json.proxies],
      [
        'InProgress',
        '127.0.0.72',
        { programmed: 1, watching: 2, lagging: 1, notConnected: 0, unknown: 0, idle: 0 },
      ],
    );
    const waiting = mesh.run(...status, '--wait=60s');
    slow.goOn();
    assert.equal((await waiting).code, exitCode.ok);
    const all = JSON.parse((await mesh.run('streams', '-o', 'json')).out);
    assert.deepEqual(
      all.items.map((stream: { pending: string; version: string; deliveredVersion: string }) => [
        stream.pending,
        stream.version === stream.deliveredVersion,
      ]),
      [
        ['nothing', true],
        ['nothing', true],
      ],
    );
    const none = await mesh.run('streams', '-n', 'demo', '--pending');
    assert.deepEqual([none.out, none.err], ['', 'nothing is pending on 2 streams']);
  });

  test('say of a policy that selects nothing, or does not exist, what is so, and of proxies that are not connected', async (t) => {
    const mesh = await policyWithProxies(t, `${pod('backend-0', '127.0.0.71')}${policy('web')}`);
    const away = await mesh.run(...status);
    assert.equal(away.code, exitCode.failed);
    assert.deepEqual(steady(away.out), [
      'demo/nap/callers Unknown: It is not known on how many proxies it is in force. Of',
      '  backend-0 it is not known: no replica has a connection for its port.',
      '',
      'PROXY  PORT  BECAUSE  CONNECTED  FROM  REPLICA',
      'backend-0  -  not connected for its port  -  -  -',
    ]);
    await mesh.write('mesh.yaml', `${pod('backend-0', '127.0.0.71')}${policy('web', 'nothing')}`);
    await eventually(async () => (await mesh.run(...status)).out.includes('NothingToProgram'));
    const nothing = await mesh.run(...status, '--wait');
    assert.deepEqual(
      [nothing.code, steady(nothing.out)],
      [
        exitCode.failed,
        [
          'demo/nap/callers NothingToProgram: There is no proxy on which it could be in',
          '  force. It selects no pod.',
        ],
      ],
    );
    const unknown = await mesh.run('rollout', 'status', 'server/web', '-n', 'demo');
    assert.deepEqual(
      [unknown.code, /there is no server demo\/web/i.test(unknown.err)],
      [exitCode.failed, true],
      unknown.err,
    );
    const kind = await mesh.run('rollout', 'status', 'deploy/web', '-n', 'demo');
    assert.deepEqual(
      [kind.code, /is not a kind of policy object/.test(kind.err)],
      [exitCode.usage, true],
      kind.err,
    );
    const idle = await mesh.run('streams', '-n', 'demo');
    assert.equal(idle.err, 'no proxy of the namespace demo is connected to policy');
  });

  test('refuse what cannot be read before anyone is asked', async () => {
    for (const [args, pattern] of [
      [['rollout', 'status', 'callers'], /Use KIND\/NAME/],
      [['rollout', 'status', 'nap/a', '--wait=soon'], /Use how long/],
      [['streams', '--of', 'identity'], /Allowed choices are policy, destination/],
    ] as const) {
      const { code, err } = await runToEnd(args);
      assert.deepEqual([code, pattern.test(err)], [exitCode.usage, true], err);
    }
  });
});
