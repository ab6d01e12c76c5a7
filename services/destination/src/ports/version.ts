import { createHash } from 'node:crypto';

/** Tells what a stream was sent from anything else, and is equal on all replicas: 64 bits of SHA-256, in hex. */
export const versionOf = (...parts: readonly Uint8Array[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex').slice(0, 16);
};
