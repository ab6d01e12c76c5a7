import { startApplication } from './application.ts';
import { Caller } from './caller.ts';
import { Load } from './load.ts';
import type { Answers, Ask, Question } from './messages.ts';
import { RpcCaller } from './rpc-caller.ts';
import { shownCertificate } from './shown-certificate.ts';
import { Tally } from './tally.ts';

/** The rig's hand inside a namespace: it does what it is asked over its IPC channel, and ends with it. */
const caller = new Caller();
const loads = new Map<string, Load>();
const rpcs = new RpcCaller();
const tally = new Tally();

const doIt = async (ask: Ask): Promise<Answers[Ask['kind']]> => {
  switch (ask.kind) {
    case 'listen':
      await startApplication(ask, (one) => tally.see(one));
      return null;
    case 'seen':
      return tally.takeLatest();
    case 'sightings':
      return tally.sightings();
    case 'call':
      return caller.call(ask.call);
    case 'state':
      return caller.state(ask.connection);
    case 'hang-up':
      caller.hangUp(ask.connection);
      return null;
    case 'open-stream':
      caller.openStream(ask.name, ask.call);
      return null;
    case 'stream':
      return caller.stream(ask.name);
    case 'load':
      loads.set(ask.name, new Load(ask.everyMs, () => caller.call(ask.call)));
      return null;
    case 'end-load': {
      const load = loads.get(ask.name);
      loads.delete(ask.name);
      return load === undefined ? { outcomes: {}, ms: 0, reasons: [] } : load.end();
    }
    case 'read': {
      const headers: Record<string, string> =
        ask.bearer === undefined ? {} : { authorization: `Bearer ${ask.bearer}` };
      const response = await fetch(ask.url, { headers, signal: AbortSignal.timeout(5_000) });
      return { status: response.status, text: await response.text() };
    }
    case 'grpc-call':
      return rpcs.call(ask.rpc, ask.text);
    case 'open-talk':
      rpcs.openTalk(ask.name, ask.rpc);
      return null;
    case 'say':
      rpcs.say(ask.name, ask.text);
      return null;
    case 'talk':
      return rpcs.talk(ask.name);
    case 'end-talk':
      rpcs.endTalk(ask.name);
      return null;
    case 'certificate':
      return shownCertificate(ask);
  }
};

process.on('message', ({ id, ask }: Question) => {
  doIt(ask).then(
    (answer) => process.send?.({ id, answer }),
    (error: Error) => process.send?.({ id, error: `${ask.kind}: ${error.message}` }),
  );
});
process.on('disconnect', () => process.exit(0));
