import assert from 'node:assert/strict';
import { execPath } from 'node:process';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { LinkerdPeer } from './linkerd-peer.ts';

/** Ready at once, and dead as a Go program dies once it is asked for `/end`. */
const mortal = `
const { createServer } = require('node:http');
createServer((request, response) => {
  if (request.url !== '/end') return response.end();
  console.error('panic: of a nil pointer\\n\\ngoroutine 7 [running]');
  process.exit(2);
}).listen(Number(process.argv[1]), '127.0.0.1');
`;

test('a controller that dies of a bug of its own is told from a difference, and started anew on its ports', async (t) => {
  let adminPort = 0;
  const peer = await LinkerdPeer.start({
    binary: execPath,
    folder: await temporaryFolder(t),
    host: 'mortal-0',
    args: ({ admin }) => {
      adminPort = admin;
      return ['-e', mortal, `${admin}`];
    },
  });
  t.after(() => peer.stop());
  assert.equal(await peer.revive(), false);
  await fetch(`http://127.0.0.1:${adminPort}/end`).catch(() => undefined);
  const until = Date.now() + 10_000;
  let silence = '';
  for (; !silence.includes(' has ended; it was asked for an answer'); await sleep(20)) {
    assert.ok(Date.now() < until, silence);
    silence = (await peer.noAnswerTo('for an answer')).message;
  }
  assert.match(silence, /panic: of a nil pointer/);
  assert.equal(await peer.revive(), true);
  assert.deepEqual(peer.deaths, ['panic: of a nil pointer\n\ngoroutine 7 [running]']);
  assert.match((await peer.noAnswerTo('for an answer')).message, /did not answer within 60 s; it was asked/);
  assert.equal(await peer.revive(), false);
});
