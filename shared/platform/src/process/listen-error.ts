import { GatehouseError } from '@gatehouse/core/error';
import { type HostPort, printHostPort } from '@gatehouse/core/host-port';

/** Why a server could not listen, in words that say what to do and name the setting to change. */
export const cannotListen = (setting: string, address: HostPort, cause: unknown): GatehouseError => {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const listening = `${printHostPort(address)} ${reasonAndAdvice(code)}`;
  return new GatehouseError('failed-precondition', `${listening} (${setting})`, {
    cause,
    details: { code, listening },
  });
};

/** The sentence of `cannotListen` without the setting, for callers that choose the address themselves; undefined for other errors. */
export const listenTrouble = (thrown: unknown): string | undefined => {
  const listening = thrown instanceof GatehouseError ? thrown.details.listening : undefined;
  return typeof listening === 'string' ? listening : undefined;
};

const reasonAndAdvice = (code: string): string => {
  switch (code) {
    case 'EADDRINUSE':
      return 'is in use: end the process that listens there, or choose another';
    case 'EACCES':
      return 'needs more privileges: choose a port above 1023';
    case 'EADDRNOTAVAIL':
      return 'is not an address of this machine: choose one that is, or 0.0.0.0';
    case 'ENOTFOUND':
      return 'is a name that is not known: choose an address of this machine';
    default:
      return 'cannot be listened on: choose another';
  }
};
