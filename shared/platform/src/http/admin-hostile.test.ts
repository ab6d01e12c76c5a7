import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { eventually } from '@gatehouse/testing/grpc';
import { silentConnections } from '@gatehouse/testing/hostile/silent-connections';
import { PlainOrTls, type PlainOrTlsOptions } from './plain-or-tls.ts';

/** An admin port as a kubelet sees it: asks for `/live`, on a connection of its own. */
const anAdminPort = async (t: TestContext, options: PlainOrTlsOptions) => {
  const listener = new PlainOrTls(options);
  const server = listener.createServer((_, response) => response.end('alive'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    listener.hangUp();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const probe = async (from = '127.0.0.1'): Promise<number | undefined> => {
    const request = get({ host: '127.0.0.1', port, path: '/live', localAddress: from, agent: false });
    const [response] = await once(request, 'response');
    response.resume();
    return response.statusCode;
  };
  return { port, probe };
};

for (const [where, from] of [
  ['another address', '127.0.9.9'],
  ['the same address', '127.0.0.1'],
] as const) {
  for (const [what, bytes] of [
    ['say nothing', undefined],
    ['never end their headers', Buffer.from('GET /live HTTP/1.1\r\nhost: a\r\n')],
  ] as const) {
    test(`connections that ${what}, from ${where}, are bounded and keep nobody out`, async (t) => {
      const refused: string[] = [];
      const { port, probe } = await anAdminPort(t, {
        maxConnections: 30,
        onRefused: (reason) => void refused.push(reason),
      });
      const flood = silentConnections({
        port,
        perSecond: 200,
        from,
        ...(bytes === undefined ? {} : { bytes }),
      });
      t.after(() => flood.stop());
      await eventually(() => flood.opened >= 100);
      for (let count = 0; count < 10; count += 1) assert.equal(await probe(), 200);
      assert.ok(flood.closed >= 50, `${flood.closed} of ${flood.opened} were closed`);
      assert.ok(refused.includes('too-many-connections'));
    });
  }
}

test('headers that come too slowly end their connection about when they should', async (t) => {
  const { port } = await anAdminPort(t, { silenceMs: 1_000 });
  const slow = connect(port, '127.0.0.1');
  slow.on('error', () => {});
  slow.resume();
  const start = performance.now();
  slow.write('GET /live HTTP/1.1\r\n');
  await once(slow, 'close');
  const tookMs = performance.now() - start;
  assert.ok(tookMs < 15_000, `one second is not ${tookMs} ms`);
});
