import { InvalidArgumentError } from 'commander';

export interface NamespacedName {
  readonly namespace: string;
  readonly name: string;
}

/** Reads `NAMESPACE/NAME` as an argument. */
export const readNamespaced = (text: string): NamespacedName => {
  const [namespace, name, ...rest] = text.split('/');
  if (!namespace || !name || rest.length > 0) {
    throw new InvalidArgumentError('Use NAMESPACE/NAME, such as demo/frontend-0.');
  }
  return { namespace, name };
};

/** Reads a TCP port from `lowest` (1 unless 0 may stand for "any free port") to 65535. */
export const readPort =
  (lowest: 0 | 1) =>
  (text: string): number => {
    const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
    if (port < lowest || port > 65535) throw new InvalidArgumentError(`Use a port from ${lowest} to 65535.`);
    return port;
  };
