import { connect } from 'node:net';
import { Dice } from '@gatehouse/identity/testing/fuzz/dice';
import { connectedTo } from '@gatehouse/testing/hostile/call-flood';
import { garbage, http2Preface, sendAndClose } from '@gatehouse/testing/hostile/garbage';
import { aSmallServer } from '@gatehouse/testing/hostile/small-server';
import { clientPreface, frameBytes } from '@gatehouse/testing/raw-http2';
import { type Attack, partOf } from './attack.ts';

/** A stranger who speaks HTTP/2 badly: bytes that are none, and frames of any type, flags, stream and length. */
export const frames: Attack = {
  name: 'frames',
  run: async ({ share, seed, cleanup }) => {
    const dice = new Dice(seed);
    const server = await aSmallServer(cleanup);
    const findings: string[] = [];
    const send = (bytes: Uint8Array): Promise<void> =>
      sendAndClose(connect({ host: '127.0.0.1', port: server.port }), bytes);
    for (const [, bytes] of garbage) await send(Buffer.from(bytes, 'latin1'));
    const cases = partOf(1_500, share);
    for (let count = 0; count < cases; count += 1) {
      const sent = Array.from({ length: 1 + dice.below(12) }, () =>
        frameBytes(dice.below(13), dice.below(256), dice.below(6), dice.bytes(dice.below(60))),
      );
      // Half of them say first what a client should say.
      const first = dice.chance(0.5) ? clientPreface : Buffer.from(http2Preface);
      await send(Buffer.concat([first, ...sent]));
    }
    const { streams } = await server.ask();
    if (streams > 0) findings.push(`${streams} streams are open after all connections have ended`);
    const socket = await connectedTo(server.port);
    socket.destroy();
    return { tried: garbage.length + cases, findings, held: 'the server goes on, and keeps no stream' };
  },
};
