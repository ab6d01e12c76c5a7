import { once } from 'node:events';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { Resident } from '../rig/resident.ts';

/** What the scripted control plane answers. Bytes are base64, for the way there is JSON. */
export interface Script {
  readonly address: { readonly host: string; readonly port: number };
  readonly serverName: string;
  readonly authority: {
    readonly name: string;
    /** PKCS#8 in PEM. */
    readonly key: string;
    readonly certificate: string;
    readonly pem: string;
  };
  /** What WatchPort says, by port. */
  readonly rows: Readonly<Record<number, string>>;
}

/** Starts it in a namespace; it listens when this resolves. */
export const startAnswers = async (place: string, logFile: string, script: Script): Promise<Resident> => {
  const main = fileURLToPath(new URL('./answers-main.ts', import.meta.url));
  const resident = new Resident({ place, command: [execPath, main], env: {}, logFile, channel: true });
  resident.start();
  resident.process.send(script);
  const ended = once(resident.process, 'exit').then(() => {
    throw new Error(`the scripted control plane ended: see ${logFile}`);
  });
  ended.catch(() => undefined);
  await Promise.race([once(resident.process, 'message'), ended]);
  return resident;
};
