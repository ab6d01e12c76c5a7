import { type HostPort, printHostPort } from './core/host-port.ts';
import { GatehouseError } from './error.ts';
import type { SettingName } from './setting-names.ts';

/** Why a server could not listen, in words that name the setting to change. */
export const cannotListen = (variable: SettingName, address: HostPort, cause: unknown): GatehouseError => {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  return new GatehouseError(
    'failed-precondition',
    `cannot listen on ${printHostPort(address)}: ${reasonOf(code)}: change ${variable}`,
    { cause },
  );
};

const reasonOf = (code: string): string => {
  switch (code) {
    case 'EADDRINUSE':
      return 'another process listens there';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address';
    case 'EACCES':
      return 'this user may not';
    case 'ENOTFOUND':
      return 'the name is not known';
    default:
      return code;
  }
};
