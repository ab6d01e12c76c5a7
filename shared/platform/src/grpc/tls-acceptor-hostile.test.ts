import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { anAuthority, aTlsMaterial } from '@gatehouse/dev/certificates';
import { aGrpcServer, eventually, portOf } from '@gatehouse/testing/grpc';
import { capturedHello } from '@gatehouse/testing/hostile/captured-hello';
import { type SilentOptions, silentConnections } from '@gatehouse/testing/hostile/silent-connections';

const root = anAuthority();
const tls = { material: aTlsMaterial(root, { name: 'a.mesh' }) };

/** Attacks for as long as `during` takes, from well before it. */
const underAttack = async (
  t: TestContext,
  attack: SilentOptions,
  during: () => Promise<void>,
): Promise<void> => {
  const flood = silentConnections(attack);
  t.after(() => flood.stop());
  await eventually(() => flood.opened >= 1.5 * attack.perSecond);
  const before = flood.opened;
  await during();
  assert.ok(flood.opened > before, 'the attack went on');
  flood.stop();
};

/** Whether a client that gives the server ten times what a proxy does comes through its handshake. */
const comesThrough = async (port: number, from: string): Promise<boolean> => {
  const client = connectTls({
    socket: connect({ host: '127.0.0.1', port, localAddress: from }),
    servername: 'a.mesh',
    ca: root.pem,
    checkServerIdentity: () => undefined,
  });
  const through = Promise.withResolvers<boolean>();
  client.on('error', () => through.resolve(false));
  client.on('close', () => through.resolve(false));
  // A TLS 1.3 client is done before the server is: what counts is the first thing that the server says.
  client.once('data', () => through.resolve(true));
  const late = setTimeout(() => through.resolve(false), 10_000);
  const outcome = await through.promise;
  clearTimeout(late);
  client.destroy();
  return outcome;
};

const hello = await capturedHello();
const attacks: readonly (Pick<SilentOptions, 'perSecond' | 'bytes'> & { readonly what: string })[] = [
  { what: 'say nothing', perSecond: 100 },
  { what: 'stop in the middle of a ClientHello', perSecond: 100, bytes: hello.subarray(0, -1) },
  // Each of these costs us half a handshake, so on a slow machine more of them would be another attack.
  { what: 'send a ClientHello and nothing more', perSecond: 40, bytes: hello },
];

for (const { what, ...attack } of attacks) {
  for (const [where, from] of [
    ['another address', '127.0.9.9'],
    ['the same address', '127.0.0.1'],
  ] as const) {
    test(`many connections a second that ${what}, from ${where}, keep nobody out`, async (t) => {
      const server = await aGrpcServer(t, { methods: {}, tls });
      const port = portOf(server);
      await underAttack(t, { port, from, ...attack }, async () => {
        const outcomes: boolean[] = [];
        for (let count = 0; count < 15; count += 1) {
          outcomes.push(await comesThrough(port, '127.0.0.1'));
          await delay(50);
        }
        assert.deepEqual(outcomes.filter((one) => !one).length, 0);
      });
      await eventually(() => server.connections === 0);
    });
  }
}
