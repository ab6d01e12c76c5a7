import { startApplication } from './application.ts';
import { Caller } from './caller.ts';
import { Load } from './load.ts';
import type { Answers, Ask, Question, Seen } from './messages.ts';
import { shownCertificate } from './shown-certificate.ts';

/** The rig's hand inside a namespace: it does what it is asked over its IPC channel, and ends with it. */
const caller = new Caller();
const loads = new Map<string, Load>();
let seen: Seen[] = [];

const doIt = async (ask: Ask): Promise<Answers[Ask['kind']]> => {
  switch (ask.kind) {
    case 'listen':
      await startApplication(ask, (one) => seen.push(one));
      return null;
    case 'seen': {
      const all = seen;
      seen = [];
      return all;
    }
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
